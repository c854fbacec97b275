#include "certificates.hpp"
#include "hpot/core/field.hpp"
#include "hpot/problem/transport_values.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

Real finite_or(Real value, Real otherwise) { return std::isfinite(value) ? value : otherwise; }

bool is_one(const Marginal& side, Real mass) { return std::abs(mass - 1.0) <= summation_error(side); }

}  // namespace

std::vector<TransportValues> evaluate_batch(const TransportProblem& problem, const ConstField& f, const ConstField& g,
                                            Real cost_bound) {
  const Marginal& a = problem.source;
  const Marginal& b = problem.target;
  const Real epsilon = problem.epsilon;
  problem.kernel->set_precision(Precision::full);
  problem.kernel->prepare(epsilon);
  const Real cut = std::expm1(problem.kernel->softmin_excess());  // of every marginal at most
  const std::vector<Real> mass_a = mass(a.rows, a.weight);
  const std::vector<Real> mass_b = mass(b.rows, b.weight);
  const std::vector<Real> largest_f = largest_values(a, f);
  const std::vector<Real> largest_g = largest_values(b, g);

  // P 1 = a exp((f - s_a)/eps), P' 1 = b exp((g - s_b)/eps)
  const Field s_a = softmin_at(problem, Side::source, g);
  const Field s_b = softmin_at(problem, Side::target, f);
  const Field p = copy_of(f);
  const Field q = copy_of(g);
  plan_marginal(a.weight, f, s_a, epsilon, p);
  plan_marginal(b.weight, g, s_b, epsilon, q);
  const std::vector<Real> plan_mass = mass(a.rows, p);
  const KnownCosts known = problem.kernel->known_costs();
  const std::vector<Real> costs =
      known != KnownCosts::none ? plan_costs(problem, p, g) : std::vector<Real>(plan_mass.size(), infinity);
  const std::vector<Real> residual_a = residual(a, f, s_a, epsilon);
  const std::vector<Real> residual_b = residual(b, g, s_b, epsilon);
  const std::vector<Real> dual_a = dual_term(a, f);
  const std::vector<Real> dual_b = dual_term(b, g);

  const bool balanced = is_balanced(a.penalty) && is_balanced(b.penalty);
  const bool finite = is_finite(a.penalty) && is_finite(b.penalty);
  const std::vector<RoundedPlan> rounded = balanced && known == KnownCosts::all
                                               ? round_plans(problem, f, g, s_a)
                                               : std::vector<RoundedPlan>(plan_mass.size());
  std::vector<Real> gaps_a(plan_mass.size()), gaps_b = gaps_a;
  if (finite) {
    gaps_a = fenchel_gaps(a, p, f);
    gaps_b = fenchel_gaps(b, q, g);
  }
  std::vector<TransportValues> all(plan_mass.size());
  for (std::size_t k = 0; k < all.size(); ++k) {
    TransportValues& values = all[k];
    values.residual_source = residual_a[k] / mass_a[k] + cut;
    values.residual_target = residual_b[k] / mass_b[k] + cut;
    values.error_floor = std::numeric_limits<Real>::epsilon() * (largest_f[k] + largest_g[k]) / epsilon;
    values.plan_mass = plan_mass[k];
    if (!std::isfinite(plan_mass[k])) continue;
    values.transport_cost = finite_or(costs[k], infinity);
    const Real dual = dual_a[k] + dual_b[k] - epsilon * (plan_mass[k] * (1.0 + cut) - mass_a[k] * mass_b[k]);
    values.dual_cost = finite_or(dual, -infinity);
    const Real size = largest_f[k] + largest_g[k] + cost_bound + epsilon * plan_mass[k];
    if (known == KnownCosts::none) continue;
    if (balanced && known == KnownCosts::near) continue;
    if (balanced && is_one(a, mass_a[k]) && is_one(b, mass_b[k])) {
      values.primal_cost = finite_or(rounded[k].entropic_cost + 32.0 * cut * size, infinity);
      values.gap = finite_or(values.primal_cost - values.dual_cost, infinity);
    } else if (finite) {
      const Real strengths = (strength(a.penalty) + strength(b.penalty)) * (2.0 * plan_mass[k] + mass_a[k] + mass_b[k]);
      values.gap = finite_or(gaps_a[k] + gaps_b[k] + 4.0 * cut * (size * plan_mass[k] + strengths), infinity);
      values.primal_cost = finite_or(values.dual_cost + values.gap, infinity);
    }
  }
  return all;
}

}  // namespace hpot
