#include "hpot/problem/transport_gradient.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "hpot/kernel/cost_gradient.hpp"
#include "hpot/problem/barycentric_map.hpp"

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

template <class Penalty>
struct GradientOfWeight {
  Penalty penalty;
  ConstField f, s;
  Real epsilon, other_mass;
  Field gradient;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Real plan = Kokkos::exp((f(0, i) - s(0, i)) / epsilon);
    gradient(0, i) = penalty.dual(1.0, f(0, i)) + epsilon * (other_mass - plan);
  }
};

/// D*(f_i) + eps (m_b - exp((f_i - s_i)/eps)).
Field gradient_of(const TransportProblem& problem, Side side, const ConstField& f, const ConstField& g) {
  const Marginal& own = side_of(problem, side);
  const Marginal& other = side_of(problem, opposite(side));
  const Real other_mass = mass(other.rows, other.weight)[0];
  const Field s = softmin_at(problem, side, g);
  std::visit(
      [&](const auto& penalty) {
        Kokkos::parallel_for(
            "hpot::weight_gradient", Policy(0, own.rows.local_n()),
            GradientOfWeight<std::decay_t<decltype(penalty)>>{penalty, f, s, problem.epsilon, other_mass, s});
      },
      own.penalty);
  return s;
}

Real mean_over(const Marginal& side, const ConstField& value) {
  return inner_product(side.rows, side.weight, value)[0] / mass(side.rows, side.weight)[0];
}

/// Component d of every point <- factor p_i times what it is.
void scale_by(const ConstField& p, Real factor, const Field& gradient) {
  Kokkos::parallel_for(
      "hpot::place_gradient::scale", Policy(0, gradient.extent(1)), KOKKOS_LAMBDA(Index i) {
        for (std::size_t d = 0; d < gradient.extent(0); ++d)
          gradient(d, i) = p(0, i) > 0.0 ? factor * p(0, i) * gradient(d, i) : 0.0;
      });
}

void set_up(const TransportProblem& problem) {
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(problem.epsilon);
}

}  // namespace

WeightGradient weight_gradient(const TransportProblem& problem, const ConstField& f, const ConstField& g) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  set_up(problem);
  WeightGradient gradient{gradient_of(problem, Side::source, f, g), gradient_of(problem, Side::target, g, f)};
  if (is_balanced(a.penalty) && is_balanced(b.penalty)) {
    const Real shift = 0.5 * (mean_over(b, gradient.target) - mean_over(a, gradient.source));
    add_constant(gradient.source, shift);
    add_constant(gradient.target, -shift);
  }
  return gradient;
}

Field place_gradient(const TransportProblem& problem, Side side, const KernelOptions& kernel, const Support& source,
                     const Support& target, const ConstField& f, const ConstField& g) {
  set_up(problem);
  const Marginal& own = side_of(problem, side);
  const Marginal& other = side_of(problem, opposite(side));
  const ConstField own_potential = side == Side::source ? f : g;
  const ConstField other_potential = side == Side::source ? g : f;
  const Field s = softmin_at(problem, side, other_potential);
  const Field p = make_unset_field("hpot::place_gradient::marginal", 1, own.rows.local_n());
  plan_marginal(own.weight, own_potential, s, problem.epsilon, p);
  if (std::holds_alternative<SquaredEuclidean>(kernel.cost)) {
    const Field displacement = barycentric_displacement(problem, source, target, other_potential, side);
    scale_by(p, -2.0, displacement);
    return displacement;
  }
  const Field h = make_unset_field("hpot::place_gradient::h", 1, other.rows.local_n());
  add_log_weight(other.log_weight, other_potential, problem.epsilon, h);
  const Field all = make_unset_field("hpot::place_gradient::gathered", 1, other.rows.partition.global_n());
  other.rows.along_rows.gather_points(h, all, other.rows.partition.offsets());
  const Points x = points_of(kernel.cost, side == Side::source ? source : target);
  const Points y = points_of(kernel.cost, side == Side::source ? target : source);
  const Field gradient = mean_cost_gradient(kernel.cost, x, own.rows.range(), y, all, s, problem.epsilon);
  scale_by(p, 1.0, gradient);
  return gradient;
}

}  // namespace hpot
