#include "certificates.hpp"
#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real u = std::numeric_limits<Real>::epsilon();

/// clamp(potential + shift, low, high) over positive weights, log_zero elsewhere: an argument of hard_min.
Field clipped(const Marginal& side, const ConstField& potential, Real shift, Real low, Real high) {
  const Field h = make_field("hpot::transform_bound::h", 1, side.rows.local_n());
  const ConstField weight = side.weight;
  Kokkos::parallel_for(
      "hpot::clipped", Policy(0, h.extent(1)), KOKKOS_LAMBDA(Index i) {
        h(0, i) = weight(0, i) > 0.0 ? Kokkos::max(low, Kokkos::min(high, potential(0, i) + shift)) : log_zero;
      });
  return h;
}

/// phi_i = min_j (C_ij - h_j).
Field transform(const TransportProblem& problem, Side outputs, const ConstField& h) {
  const Field phi = make_field("hpot::transform_bound::phi", 1, side_of(problem, outputs).rows.local_n());
  problem.kernel->hard_min(outputs, h, phi);
  return phi;
}

template <class Penalty>
struct SizeOfDual {
  Penalty penalty;
  ConstField weight, f;
  KOKKOS_FUNCTION Real operator()(Index k, Index i) const {
    return weight(k, i) > 0.0 ? Kokkos::fabs(penalty.dual(weight(k, i), f(k, i))) : 0.0;
  }
};

/// The side's dual terms at f, and their errors taken off.
Real certain_dual_term(const Marginal& side, const ConstField& f) {
  const Real size = std::visit(
      [&](const auto& p) {
        return sum_over_points("hpot::size_of_dual", side.rows, 1,
                               SizeOfDual<std::decay_t<decltype(p)>>{p, side.weight, f})[0];
      },
      side.penalty);
  if (!std::isfinite(size)) return -infinity;
  return dual_term(side, f)[0] - 4.0 * (summation_error(side) + 8.0 * u) * size;
}

Real mean_over(const Marginal& side, const ConstField& f) {
  return inner_product(side.rows, side.weight, f)[0] / mass(side.rows, side.weight)[0];
}

/// From a potential h of side `from`: phi = its transform on the other side, psi = the transform of phi. With tv, phi and
/// psi are raised to -rho. That keeps phi + psi <= C: psi is formed after phi was raised, and where psi is raised,
/// phi <= C + rho_from because of h >= -rho_from, or phi = -rho_to and C >= 0.
Real bound_from(const TransportProblem& problem, Side from, const ConstField& potential, Real largest_cost) {
  const Side to = opposite(from);
  const Marginal& first = side_of(problem, from);
  const Marginal& second = side_of(problem, to);
  const Real rho_first = reach(first.penalty);
  const Real rho_second = reach(second.penalty);
  // Balanced problems do not notice a constant; a small potential has small errors.
  const Real shift = is_balanced(first.penalty) && is_balanced(second.penalty) ? -mean_over(first, potential) : 0.0;
  Field h = clipped(first, potential, shift, -rho_first, rho_first);
  const Real error_h = std::isfinite(rho_first) ? 16.0 * u * (largest_cost + largest_over(first, h)) : 0.0;
  const Field phi = clipped(second, transform(problem, to, h), -error_h, -rho_second, rho_second);
  h = {};
  const Real error_phi = 16.0 * u * (largest_cost + largest_over(second, phi));
  const Field psi = clipped(first, transform(problem, from, phi), -error_phi, -rho_first, infinity);
  return certain_dual_term(second, phi) + certain_dual_term(first, psi);
}

/// phi_i = min_j C_ij, psi = 0: never negative for costs that are not.
Real nearest_bound(const TransportProblem& problem) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Field zero = make_field("hpot::transform_bound::zero", 1, b.rows.local_n());
  const Field phi = transform(problem, Side::source, clipped(b, zero, 0.0, 0.0, 0.0));
  const Field below = make_field("hpot::transform_bound::below", 1, a.rows.local_n());
  combine(1.0 - 16.0 * u, phi, 0.0, below);
  const Real high = reach(a.penalty);
  return certain_dual_term(a, clipped(a, below, 0.0, -high, high));
}

}  // namespace

Real transform_bound(const TransportProblem& problem, const ConstField& f, const ConstField& g, Real largest_cost) {
  return std::max({nearest_bound(problem), bound_from(problem, Side::target, g, largest_cost),
                   bound_from(problem, Side::source, f, largest_cost)});
}

}  // namespace hpot
