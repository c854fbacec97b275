#include "hpot/problem/transport_values.hpp"

#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "hpot/problem/cost_scale.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real equal_masses = 1e-9;  // relative

Real finite_or(Real value, Real otherwise) { return std::isfinite(value) ? value : otherwise; }

Field like(const ConstField& field) {
  return make_field("hpot::transport_values", 1, static_cast<Index>(field.extent(1)));
}

/// sum p |f - s|/eps.
Real mean_exponent(const Marginal& side, const ConstField& p, const ConstField& f, const ConstField& s, Real epsilon) {
  return sum_over_points(
      "hpot::mean_exponent", side.rows, 1, KOKKOS_LAMBDA(Index k, Index i) {
        return p(k, i) > 0.0 ? p(k, i) * Kokkos::fabs(f(k, i) - s(k, i)) / epsilon : 0.0;
      })[0];
}

/// The potential whose plan meets a constraint on this side, s the softmin there: s, or f clamped to the range.
Field feasible_potential(const MarginalPenalty& penalty, const ConstField& f, const ConstField& s, Real epsilon) {
  const auto* range = std::get_if<MassRange>(&penalty);
  const Real low = range == nullptr ? 0.0 : range->low > 0.0 ? epsilon * std::log(range->low) : -infinity;
  const Real high = range == nullptr ? 0.0 : epsilon * std::log(range->high);
  const Field feasible = like(f);
  Kokkos::parallel_for(
      "hpot::feasible_potential", Policy(0, f.extent(1)),
      KOKKOS_LAMBDA(Index i) { feasible(0, i) = Kokkos::max(s(0, i) + low, Kokkos::min(f(0, i), s(0, i) + high)); });
  return feasible;
}

/// A plan by its potentials: softmins s and marginals p, q of both sides.
struct PlanAt {
  ConstField f, g;
  Field s_a, s_b, p, q;
  Real mass = 0.0;
};

PlanAt plan_at(const TransportProblem& problem, const ConstField& f, const ConstField& g) {
  PlanAt plan{f, g, softmin_at(problem, Side::source, g), softmin_at(problem, Side::target, f), like(f), like(g), 0.0};
  plan_marginal(problem.source.weight, f, plan.s_a, problem.epsilon, plan.p);
  plan_marginal(problem.target.weight, g, plan.s_b, problem.epsilon, plan.q);
  plan.mass = mass(problem.source.rows, plan.p)[0];
  return plan;
}

/// D_a*(f) + D_b*(g) - eps sum P, what the operator leaves out of the sum included.
Real dual_without_product(const TransportProblem& problem, const PlanAt& plan) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  if (smallest_over(a, plan.f) < -reach(a.penalty) || smallest_over(b, plan.g) < -reach(b.penalty)) return -infinity;
  const Real mass = plan.mass * std::exp(problem.kernel->softmin_excess());
  return dual_term(a, plan.f)[0] + dual_term(b, plan.g)[0] - problem.epsilon * mass;
}

/// Both sides balanced and of mass 1; values are multiplied by m, and eps m offset is added to the entropic ones.
void certify_at_mass_1(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                       const ConstField& g, const Field& s_a, Real plan_mass, Real m, TransportValues& values) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  const RoundedPlan rounded = round_plans(problem, f, g, s_a)[0];
  const Real largest = largest_cost(world, problem);
  const Real cut = std::expm1(problem.kernel->softmin_excess());  // of the plan's mass, by the operator
  const Real dual = dual_term(a, f)[0] + dual_term(b, g)[0] - epsilon * (plan_mass * (1.0 + cut) - 1.0);
  const Real primal =
      rounded.entropic_cost + 32.0 * cut * (largest_over(a, f) + largest_over(b, g) + largest + epsilon * plan_mass);
  const Real offset = epsilon * (m - 1.0 - std::log(m));
  values.dual_cost = finite_or(m * (dual + offset), -infinity);
  values.primal_cost = finite_or(m * (primal + offset), infinity);
  values.gap = finite_or(m * (primal - dual), infinity);

  const Real theta = plan_error(problem, f, g, largest);
  const Real entropies = std::min(entropy(a.rows, a.weight)[0], entropy(b.rows, b.weight)[0]);
  const Real size = largest_over(a, f) + largest_over(b, g) + epsilon * (plan_mass + entropies);
  const Real entropic_bound = dual - epsilon * entropies - 4.0 * theta * size;
  values.upper_cost = finite_or(m * (rounded.cost + 32.0 * theta * largest), infinity);
  values.lower_cost = finite_or(m * std::max(entropic_bound, transform_bound(problem, f, g, largest)), -infinity);
}

/// Both sides balanced, of equal mass.
void certify_balanced(const Communicator& world, const TransportProblem& problem, PlanAt plan, Real mass_a, Real mass_b,
                      TransportValues& values) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Field s_a = plan.s_a;
  plan.s_b = plan.p = plan.q = {};  // memory
  if (std::abs(mass_a - 1.0) <= summation_error(a) && std::abs(mass_b - 1.0) <= summation_error(b)) {
    certify_at_mass_1(world, problem, plan.f, plan.g, s_a, plan.mass, 1.0, values);
    return;
  }
  const TransportProblem unit{make_marginal(a.rows, quotient(a.weight, mass_a), Balanced{}),
                              make_marginal(b.rows, quotient(b.weight, mass_b), Balanced{}), problem.kernel,
                              problem.epsilon};
  const Field f = copy_of(plan.f);
  add_constant(f, problem.epsilon * std::log(mass_b));
  add_constant(s_a, problem.epsilon * std::log(mass_b));
  certify_at_mass_1(world, unit, f, plan.g, s_a, plan.mass / mass_a, mass_a, values);
}

/// Other penalties: the dual, and a feasible plan where one side at most is a constraint.
void certify_unbalanced(const Communicator& world, const TransportProblem& problem, PlanAt plan, Real mass_a,
                        Real mass_b, TransportValues& values) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  const ConstField f = plan.f;
  const ConstField g = plan.g;
  const Real dual = dual_without_product(problem, plan);
  values.dual_cost = finite_or(dual + epsilon * mass_a * mass_b, -infinity);
  const Real largest = largest_cost(world, problem);
  values.lower_cost = finite_or(transform_bound(problem, f, g, largest), -infinity);
  if (!is_finite(a.penalty) && !is_finite(b.penalty)) return;

  Real gain = 0.0;  // of the dual by the potentials of the feasible plan
  if (!is_finite(a.penalty) || !is_finite(b.penalty)) {
    const bool source = !is_finite(a.penalty);
    const Field moved = source ? feasible_potential(a.penalty, f, plan.s_a, epsilon)
                               : feasible_potential(b.penalty, g, plan.s_b, epsilon);
    plan = {};  // memory
    plan = source ? plan_at(problem, moved, g) : plan_at(problem, f, moved);
    if (!std::isfinite(plan.mass)) return;
    if (std::isfinite(dual)) gain = dual_without_product(problem, plan) - dual;
  }
  const auto size_of = [&](const Marginal& side, const ConstField& p, const ConstField& potential, const ConstField& s,
                           Real side_mass) {
    return strength(side.penalty) * (2.0 * plan.mass + side_mass + mean_exponent(side, p, potential, s, epsilon));
  };
  const Real size = 4.0 * plan.mass * largest + size_of(a, plan.p, plan.f, plan.s_a, mass_a) +
                    size_of(b, plan.q, plan.g, plan.s_b, mass_b);
  if (std::isfinite(dual)) {
    const Real potentials = largest_over(a, plan.f) + largest_over(b, plan.g);
    const Real cut = std::expm1(problem.kernel->softmin_excess()) * (size + plan.mass * (potentials + epsilon));
    values.gap =
        finite_or(fenchel_gaps(a, plan.p, plan.f)[0] + fenchel_gaps(b, plan.q, plan.g)[0] + gain + cut, infinity);
    values.primal_cost = finite_or(values.dual_cost + values.gap, infinity);
  }
  values.upper_cost = finite_or(plan_costs(problem, plan.p, plan.g)[0] + penalty_value(a, plan.p)[0] +
                                    penalty_value(b, plan.q)[0] + plan_error(problem, plan.f, plan.g, largest) * size,
                                infinity);
}

/// Of the costs as the operator has them.
TransportValues evaluate_as_kept(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                                 const ConstField& g) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(problem.epsilon);
  const Real mass_a = mass(a.rows, a.weight)[0];
  const Real mass_b = mass(b.rows, b.weight)[0];
  TransportValues values;

  PlanAt plan = plan_at(problem, f, g);
  const Real cut = std::expm1(problem.kernel->softmin_excess());  // of every marginal at most
  values.residual_source = residual(a, f, plan.s_a, problem.epsilon)[0] / mass_a + cut;
  values.residual_target = residual(b, g, plan.s_b, problem.epsilon)[0] / mass_b + cut;
  values.error_floor =
      std::numeric_limits<Real>::epsilon() * (largest_over(a, f) + largest_over(b, g)) / problem.epsilon;
  values.plan_mass = plan.mass;
  if (!std::isfinite(plan.mass)) return values;
  const bool balanced = is_balanced(a.penalty) && is_balanced(b.penalty);
  const bool equal = std::abs(mass_a / mass_b - 1.0) <= equal_masses;
  const KnownCosts known = problem.kernel->known_costs();
  if (known != KnownCosts::none) values.transport_cost = finite_or(plan_costs(problem, plan.p, g)[0], infinity);
  if (known == KnownCosts::none || (balanced && (known == KnownCosts::near || !equal))) {
    values.dual_cost = finite_or(dual_without_product(problem, plan) + problem.epsilon * mass_a * mass_b, -infinity);
    if (known == KnownCosts::near && equal)
      values.lower_cost = finite_or(transform_bound(problem, f, g, largest_cost(world, problem)), -infinity);
    return values;
  }
  if (balanced) {
    certify_balanced(world, problem, std::move(plan), mass_a, mass_b, values);
  } else {
    certify_unbalanced(world, problem, std::move(plan), mass_a, mass_b, values);
  }
  return values;
}

}  // namespace

TransportValues evaluate_transport(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                                   const ConstField& g) {
  TransportValues values = evaluate_as_kept(world, problem, f, g);
  const Real rounding = problem.kernel->cost_rounding();
  if (rounding == 0.0) return values;
  values.lower_cost -= rounding * std::abs(values.lower_cost);
  values.upper_cost += 2.0 * rounding * std::abs(values.upper_cost);
  return values;
}

}  // namespace hpot
