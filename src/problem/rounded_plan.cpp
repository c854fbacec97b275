#include "certificates.hpp"
#include "hpot/core/field.hpp"

#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

Field like(const ConstField& field) { return make_field("hpot::rounded_plan", 1, static_cast<Index>(field.extent(1))); }

Field smaller_of(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  Kokkos::parallel_for(
      "hpot::smaller_of", Policy(0, z.extent(1)), KOKKOS_LAMBDA(Index i) { z(0, i) = Kokkos::min(x(0, i), y(0, i)); });
  return z;
}

/// max(x - y, 0).
Field excess(const ConstField& x, const ConstField& y) {
  const Field z = like(x);
  Kokkos::parallel_for(
      "hpot::excess", Policy(0, z.extent(1)),
      KOKKOS_LAMBDA(Index i) { z(0, i) = Kokkos::max(x(0, i) - y(0, i), 0.0); });
  return z;
}

Field log_of(const ConstField& weight) {
  const Field z = like(weight);
  Kokkos::parallel_for(
      "hpot::log_of", Policy(0, z.extent(1)),
      KOKKOS_LAMBDA(Index i) { z(0, i) = weight(0, i) > 0.0 ? Kokkos::log(weight(0, i)) : log_zero; });
  return z;
}

/// sum e log(e/a) over e > 0.
Real relative_entropy(const Marginal& side, const ConstField& e) {
  const ConstField log_a = side.log_weight;
  return sum_over_points(
      "hpot::relative_entropy", side.rows, 1, KOKKOS_LAMBDA(Index k, Index i) {
        return e(k, i) > 0.0 && log_a(k, i) > 0.5 * log_zero ? e(k, i) * (Kokkos::log(e(k, i)) - log_a(k, i)) : 0.0;
      })[0];
}

}  // namespace

RoundedPlan round_plan(const TransportProblem& problem, const ConstField& f, const ConstField& g,
                       const ConstField& s_a) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  RoundedPlan plan;
  Field f1 = smaller_of(f, s_a);  // fields are dropped as soon as they can be
  Field s = softmin_at(problem, Side::target, f1);
  Field kept_b = like(g);
  plan_marginal(b.weight, g, s, epsilon, kept_b);
  kept_b = smaller_of(kept_b, b.weight);
  const Field g1 = smaller_of(g, s);
  const Field e_b = excess(b.weight, kept_b);
  plan.entropic_cost = inner_product(b.rows, kept_b, g1)[0];
  s = kept_b = {};
  s = softmin_at(problem, Side::source, g1);
  const Field r1 = like(f);
  plan_marginal(a.weight, f1, s, epsilon, r1);
  plan.entropic_cost += inner_product(a.rows, r1, f1)[0];
  s = f1 = {};
  const Field e_a = excess(a.weight, r1);
  const Real d = mass(a.rows, e_a)[0];
  plan.cost = plan_cost(problem, r1, g1);
  if (d > 0.0 && mass(b.rows, e_b)[0] > 0.0) {
    problem.kernel->prepare(infinity);  // mean cost under e_b, for every point
    const Field mean = like(f);
    problem.kernel->average_cost(Side::source, log_of(e_b), mean);
    const Real correction = inner_product(a.rows, e_a, mean)[0];
    problem.kernel->prepare(epsilon);
    plan.cost += correction;
    const Real mixing = d < 1.0 ? -(1.0 - d) * std::log1p(-d) : 0.0;
    plan.entropic_cost +=
        correction + epsilon * (mixing + relative_entropy(a, e_a) + relative_entropy(b, e_b) - 2.0 * d * std::log(d));
  }
  return plan;
}

}  // namespace hpot
