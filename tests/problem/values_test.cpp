// Values, residuals and certificates against plans that are written out in long double.
#include "hpot/problem/transport_values.hpp"

#include "hpot/problem/cost_scale.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Plan;
using test::Values;

struct Pair {
  Grid grid;
  std::vector<Values> cost;
  Values a, b;
};

/// A 4 x 5 grid with a third of its weights zero.
Pair pair_of(unsigned seed, Real mass_a, Real mass_b) {
  const Grid grid = make_grid({4, 5}, {1.0, 1.5});
  return {grid, reference::cost_matrix(SquaredEuclidean{}, grid, grid),
          test::scaled_to_mass(test::random_measure(20, seed, 0.3), mass_a),
          test::scaled_to_mass(test::random_measure(20, seed + 1, 0.3), mass_b)};
}

/// sum a |exp((f-s)/eps) - exp((prox(s)-s)/eps)|, s from the plan's marginal: p/a = exp((f-s)/eps).
Real residual_of(const MarginalPenalty& any, const Values& a, const Values& f, const Values& marginal, Real epsilon) {
  return std::visit(
      [&](const auto& penalty) {
        Real sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) {
          if (a[i] <= 0.0) continue;
          const Real s = f[i] - epsilon * std::log(marginal[i] / a[i]);
          sum += std::abs(marginal[i] - a[i] * std::exp((penalty.prox(s, epsilon) - s) / epsilon));
        }
        return sum;
      },
      any);
}

Real dual_of(const MarginalPenalty& any, const Values& a, const Values& f) {
  return std::visit(
      [&](const auto& penalty) {
        Real sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] > 0.0 ? penalty.dual(a[i], f[i]) : 0.0;
        return sum;
      },
      any);
}

Real penalty_of(const MarginalPenalty& any, const Values& a, const Values& p) {
  return std::visit(
      [&](const auto& penalty) {
        Real sum = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] > 0.0 ? penalty.primal(a[i], p[i]) : 0.0;
        return sum;
      },
      any);
}

TEST(EvaluateTransport, EqualsSumsOverTheExplicitPlan) {
  const std::vector<std::pair<MarginalPenalty, MarginalPenalty>> penalties = {
      {Balanced{}, Balanced{}},
      {KullbackLeibler{2.0}, KullbackLeibler{0.5}},
      {TotalVariation{1.5}, TotalVariation{1.5}},
      {TotalVariation{1.0}, KullbackLeibler{3.0}},
      {MassRange{0.5, 1.5}, KullbackLeibler{3.0}},
  };
  for (const auto& [source, target] : penalties) {
    for (const Real epsilon : {0.2, 1.0, 10.0}) {
      const Pair pair = pair_of(11, 1.3, 0.8);
      const Values f = reference::random_values(20, 5, -0.9, 1.4);
      const Values g = reference::random_values(20, 6, -0.9, 1.4);
      const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, source, target, epsilon);
      const TransportValues values =
          evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(g));

      const Plan plan(pair.cost, pair.a, pair.b, f, g, epsilon);
      const Values p = plan.source_marginal();
      const Values q = plan.target_marginal();
      const Real scale = plan.mass() + plan.transport_cost();
      EXPECT_NEAR(values.plan_mass, plan.mass(), 1e-13 * plan.mass());
      EXPECT_NEAR(values.transport_cost, plan.transport_cost(), 1e-13 * plan.transport_cost());
      EXPECT_NEAR(values.residual_source * 1.3, residual_of(source, pair.a, f, p, epsilon), 1e-12 * scale);
      EXPECT_NEAR(values.residual_target * 0.8, residual_of(target, pair.b, g, q, epsilon), 1e-12 * scale);
      EXPECT_NEAR(values.dual_cost,
                  dual_of(source, pair.a, f) + dual_of(target, pair.b, g) - epsilon * (plan.mass() - 1.3 * 0.8),
                  1e-12 * (1.0 + epsilon) * scale);
      if (!is_finite(source) || !is_finite(target)) continue;
      EXPECT_NEAR(values.primal_cost,
                  plan.transport_cost() + epsilon * plan.relative_entropy() + penalty_of(source, pair.a, p) +
                      penalty_of(target, pair.b, q),
                  1e-12 * (1.0 + epsilon) * scale);
      EXPECT_GE(values.primal_cost, values.dual_cost);
    }
  }
}

TEST(Residual, OfBalancedSidesIsTheL1ErrorOfThePlansMarginal) {
  const Pair pair = pair_of(21, 1.0, 1.0);
  const Values f = reference::random_values(20, 7, -1.0, 2.0);
  const Values g = reference::random_values(20, 8, -1.0, 2.0);
  const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, Balanced{}, Balanced{}, 0.7);
  const TransportValues values =
      evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(g));
  const Plan plan(pair.cost, pair.a, pair.b, f, g, 0.7);
  const Values p = plan.source_marginal();
  const Values q = plan.target_marginal();
  Real error_a = 0.0;
  Real error_b = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    error_a += std::abs(p[i] - pair.a[i]);
    error_b += std::abs(q[i] - pair.b[i]);
  }
  EXPECT_NEAR(values.residual_source, error_a, 1e-13 * (1.0 + error_a));
  EXPECT_NEAR(values.residual_target, error_b, 1e-13 * (1.0 + error_b));
}

TEST(EvaluateTransport, RoundingCertificateBoundsTheExplicitRoundedPlan) {
  for (const unsigned seed : {31U, 33U, 35U, 37U}) {
    for (const Real spread : {1e-9, 1e-3, 1.0, 3.0}) {
      const Pair pair = pair_of(seed, 1.0, 1.0);
      const Values f = reference::random_values(20, seed + 50, -spread, spread);
      const Values g = reference::random_values(20, seed + 60, -spread, spread);
      const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, Balanced{}, Balanced{}, 1.2);
      const TransportValues values =
          evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(g));

      Plan plan(pair.cost, pair.a, pair.b, f, g, 1.2);
      plan.round();
      const Values p = plan.source_marginal();
      const Values q = plan.target_marginal();
      EXPECT_LT(reference::largest_difference(p, pair.a), 1e-15);
      EXPECT_LT(reference::largest_difference(q, pair.b), 1e-15);
      EXPECT_NEAR(values.upper_cost, plan.transport_cost(), 1e-12 * plan.transport_cost());
      const Real entropic = plan.transport_cost() + 1.2 * plan.relative_entropy();
      EXPECT_GE(values.primal_cost, entropic - 1e-13 * entropic);
      EXPECT_GE(values.primal_cost, values.dual_cost);
    }
  }
}

TEST(EvaluateTransport, ValuesWithoutACertificateAreInfinite) {
  const Pair pair = pair_of(41, 2.0, 2.0);
  const Field zero = make_field("zero", 1, 20);
  const auto values_under = [&](const MarginalPenalty& penalty) {
    return evaluate_transport(test::alone(), test::problem_of(pair.grid, pair.a, pair.b, penalty, penalty, 1.0), zero,
                              zero);
  };
  EXPECT_EQ(values_under(Balanced{}).primal_cost, infinity);
  EXPECT_EQ(values_under(MassRange{}).primal_cost, infinity);
  EXPECT_EQ(values_under(KullbackLeibler{}).upper_cost, infinity);
  EXPECT_EQ(values_under(Balanced{}).gap(), infinity);
}

TEST(CostScale, LargestAndMeanCostEqualLoopsOverPositiveWeights) {
  const Pair pair = pair_of(51, 1.7, 0.6);
  for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{PowerAxes{1.5}}, Cost{Euclidean{}}}) {
    const auto matrix = reference::cost_matrix(cost, pair.grid, pair.grid);
    const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, Balanced{}, Balanced{}, 1.0, cost);
    Real largest = 0.0;
    Real mean = 0.0;
    for (std::size_t i = 0; i < 20; ++i) {
      for (std::size_t j = 0; j < 20; ++j) {
        if (pair.a[i] > 0.0 && pair.b[j] > 0.0) largest = std::max(largest, matrix[i][j]);
        mean += pair.a[i] * pair.b[j] * matrix[i][j] / (1.7 * 0.6);
      }
    }
    EXPECT_NEAR(largest_cost(test::alone(), problem), largest, 1e-13 * largest);
    EXPECT_NEAR(mean_cost(problem), mean, 1e-13 * mean);
  }
}

}  // namespace
}  // namespace hpot
