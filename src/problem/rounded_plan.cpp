#include "certificates.hpp"
#include "hpot/core/field.hpp"

#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

Field like(const ConstField& field) {
  return make_field("hpot::rounded_plan", static_cast<Index>(field.extent(0)), static_cast<Index>(field.extent(1)));
}

Field smaller_of(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  const Real* const of_x = x.data();
  const Real* const of_y = y.data();
  Real* const to = z.data();
  Kokkos::parallel_for(
      "hpot::smaller_of", Policy(0, z.size()), KOKKOS_LAMBDA(Index i) { to[i] = Kokkos::min(of_x[i], of_y[i]); });
  return z;
}

/// max(x - y, 0).
Field excess(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  const Real* const of_x = x.data();
  const Real* const of_y = y.data();
  Real* const to = z.data();
  Kokkos::parallel_for(
      "hpot::excess", Policy(0, z.size()), KOKKOS_LAMBDA(Index i) { to[i] = Kokkos::max(of_x[i] - of_y[i], 0.0); });
  return z;
}

Field log_of(const ConstField& weight) {
  const Field z = like(weight);
  const Real* const from = weight.data();
  Real* const to = z.data();
  Kokkos::parallel_for(
      "hpot::log_of", Policy(0, z.size()),
      KOKKOS_LAMBDA(Index i) { to[i] = from[i] > 0.0 ? Kokkos::log(from[i]) : log_zero; });
  return z;
}

/// sum e log(e/a) over e > 0.
std::vector<Real> relative_entropies(const Marginal& side, const ConstField& e) {
  const ConstField log_a = side.log_weight;
  return sum_over_points(
      "hpot::relative_entropies", side.rows, static_cast<Index>(e.extent(0)), KOKKOS_LAMBDA(Index k, Index i) {
        return e(k, i) > 0.0 && log_a(k, i) > 0.5 * log_zero ? e(k, i) * (Kokkos::log(e(k, i)) - log_a(k, i)) : 0.0;
      });
}

}  // namespace

std::vector<RoundedPlan> round_plans(const TransportProblem& problem, const ConstField& f, const ConstField& g,
                                     const ConstField& s_a) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  std::vector<RoundedPlan> plans(f.extent(0));
  const auto add = [&](Real RoundedPlan::*value, const std::vector<Real>& terms) {
    for (std::size_t k = 0; k < plans.size(); ++k) plans[k].*value += terms[k];
  };
  Field f1 = smaller_of(f, s_a);  // fields are dropped as soon as they can be
  Field s = softmin_at(problem, Side::target, f1);
  Field kept_b = like(g);
  plan_marginal(b.weight, g, s, epsilon, kept_b);
  kept_b = smaller_of(kept_b, b.weight);
  const Field g1 = smaller_of(g, s);
  const Field e_b = excess(b.weight, kept_b);
  add(&RoundedPlan::entropic_cost, inner_product(b.rows, kept_b, g1));
  s = kept_b = {};
  s = softmin_at(problem, Side::source, g1);
  const Field r1 = like(f);
  plan_marginal(a.weight, f1, s, epsilon, r1);
  add(&RoundedPlan::entropic_cost, inner_product(a.rows, r1, f1));
  s = f1 = {};
  const Field e_a = excess(a.weight, r1);
  const std::vector<Real> missing = mass(a.rows, e_a);  // d
  const std::vector<Real> missing_b = mass(b.rows, e_b);
  add(&RoundedPlan::cost, plan_costs(problem, r1, g1));
  const auto corrected = [&](std::size_t k) { return missing[k] > 0.0 && missing_b[k] > 0.0; };
  bool any = false;
  for (std::size_t k = 0; k < plans.size(); ++k) any = any || corrected(k);
  if (!any) return plans;
  problem.kernel->prepare(infinity);  // mean cost under e_b, for every point
  const Field mean = like(f);
  problem.kernel->average_cost(Side::source, log_of(e_b), mean);
  const std::vector<Real> correction = inner_product(a.rows, e_a, mean);
  problem.kernel->prepare(epsilon);
  const std::vector<Real> entropy_a = relative_entropies(a, e_a);
  const std::vector<Real> entropy_b = relative_entropies(b, e_b);
  for (std::size_t k = 0; k < plans.size(); ++k) {
    if (!corrected(k)) continue;
    const Real d = missing[k];
    const Real mixing = d < 1.0 ? -(1.0 - d) * std::log1p(-d) : 0.0;
    plans[k].cost += correction[k];
    plans[k].entropic_cost += correction[k] + epsilon * (mixing + entropy_a[k] + entropy_b[k] - 2.0 * d * std::log(d));
  }
  return plans;
}

}  // namespace hpot
