#include "certificates.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real u = std::numeric_limits<Real>::epsilon();

}  // namespace

Field softmin_at(const TransportProblem& problem, Side outputs, const ConstField& potential) {
  const Index batch = static_cast<Index>(potential.extent(0));
  const Field h = make_field("hpot::softmin_at::h", batch, static_cast<Index>(potential.extent(1)));
  const Field s = make_field("hpot::softmin_at", batch, side_of(problem, outputs).rows.local_n());
  add_log_weight(side_of(problem, opposite(outputs)).log_weight, potential, problem.epsilon, h);
  problem.kernel->softmin_spoiling(outputs, h, s);
  return s;
}

std::vector<Real> plan_costs(const TransportProblem& problem, const ConstField& p, const ConstField& g) {
  const Index batch = static_cast<Index>(g.extent(0));
  const Field h = make_field("hpot::plan_costs::h", batch, static_cast<Index>(g.extent(1)));
  const Field mean = make_field("hpot::plan_costs::mean", batch, static_cast<Index>(p.extent(1)));
  add_log_weight(problem.target.log_weight, g, problem.epsilon, h);
  problem.kernel->average_cost(Side::source, h, mean);
  return inner_product(problem.source.rows, p, mean);
}

std::vector<Real> largest_values(const Marginal& side, const ConstField& value) {
  const ConstField weight = side.weight;
  std::vector<Real> largest(value.extent(0), 0.0);
  for (std::size_t k = 0; k < largest.size(); ++k) {
    Real of_entry = 0.0;
    Kokkos::parallel_reduce(
        "hpot::largest_values", Policy(0, value.extent(1)),
        KOKKOS_LAMBDA(Index i, Real & most) {
          if (weight(k, i) > 0.0) most = Kokkos::max(most, Kokkos::fabs(value(k, i)));
        },
        Kokkos::Max<Real>(of_entry));
    largest[k] = std::max(of_entry, 0.0);
  }
  side.rows.along_rows.max(largest);
  return largest;
}

Real largest_over(const Marginal& side, const ConstField& value) { return largest_values(side, value)[0]; }

Real smallest_over(const Marginal& side, const ConstField& value) {
  Real largest = -infinity;  // of -value
  const ConstField weight = side.weight;
  Kokkos::parallel_reduce(
      "hpot::smallest_over", Policy(0, value.extent(1)),
      KOKKOS_LAMBDA(Index i, Real & most) {
        if (weight(0, i) > 0.0) most = Kokkos::max(most, -value(0, i));
      },
      Kokkos::Max<Real>(largest));
  return -side.rows.along_rows.max(largest);
}

namespace {

template <class Penalty>
struct FenchelGapOfPoint {
  Penalty penalty;
  ConstField weight, p, f;
  KOKKOS_FUNCTION Real operator()(Index k, Index i) const {
    const Real w = weight(k, i);
    if (w <= 0.0) return 0.0;
    return Kokkos::max(0.0, p(k, i) * f(k, i) + penalty.primal(w, p(k, i)) - penalty.dual(w, f(k, i)));
  }
};

}  // namespace

std::vector<Real> fenchel_gaps(const Marginal& side, const ConstField& p, const ConstField& f) {
  return std::visit(
      [&](const auto& penalty) {
        return sum_over_points("hpot::fenchel_gaps", side.rows, static_cast<Index>(p.extent(0)),
                               FenchelGapOfPoint<std::decay_t<decltype(penalty)>>{penalty, side.weight, p, f});
      },
      side.penalty);
}

Real summation_error(const Marginal& side) {
  return u * static_cast<Real>(side.rows.partition.tile() + side.rows.partition.tiles());
}

Real plan_error(const TransportProblem& problem, const ConstField& f, const ConstField& g, Real largest_cost) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real logs = std::max(largest_over(a, a.log_weight), largest_over(b, b.log_weight));
  const Real potentials = largest_over(a, f) + largest_over(b, g);
  const Index terms = std::max(a.rows.partition.global_n(), b.rows.partition.global_n());
  return 16.0 * u * (1.0 + logs + (potentials + largest_cost) / problem.epsilon) + u * static_cast<Real>(terms) +
         std::expm1(problem.kernel->softmin_excess());
}

}  // namespace hpot
