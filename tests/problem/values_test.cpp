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
      EXPECT_NEAR(values.gap, values.primal_cost - values.dual_cost, 1e-12 * (1.0 + epsilon) * scale);
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

TEST(EvaluateTransport, PotentialsWhosePlanOverflowsGiveAnInfiniteResidualAndNoNaN) {
  const Pair pair = pair_of(23, 1.0, 1.0);
  const Field huge = reference::field_of(Values(20, 1e4));
  for (const MarginalPenalty& penalty :
       {MarginalPenalty{Balanced{}}, MarginalPenalty{KullbackLeibler{0.5}}, MarginalPenalty{TotalVariation{2.0}}}) {
    const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, penalty, penalty, 1.0);
    const TransportValues values = evaluate_transport(test::alone(), problem, huge, huge);
    EXPECT_EQ(values.residual_source, infinity);
    EXPECT_EQ(values.residual_target, infinity);
    EXPECT_EQ(values.upper_cost, infinity);
    EXPECT_EQ(values.gap, infinity);
  }
}

TEST(EvaluateTransport, RoundingCertificateBoundsTheExplicitRoundedPlan) {
  for (const unsigned seed : {31U, 33U, 35U, 37U}) {
    for (const Real spread : {1e-9, 1e-3, 1.0, 3.0}) {
      const Real m = seed == 31U ? 1.0 : seed == 33U ? 2.5 : seed == 35U ? 0.01 : 40.0;
      const Pair pair = pair_of(seed, m, m);
      const Values f = reference::random_values(20, seed + 50, -spread, spread);
      const Values g = reference::random_values(20, seed + 60, -spread, spread);
      const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, Balanced{}, Balanced{}, 1.2);
      const TransportValues values =
          evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(g));

      Plan plan(pair.cost, pair.a, pair.b, f, g, 1.2);
      plan.round();
      const Values p = plan.source_marginal();
      const Values q = plan.target_marginal();
      EXPECT_LT(reference::largest_difference(p, pair.a), 1e-15 * m);
      EXPECT_LT(reference::largest_difference(q, pair.b), 1e-15 * m);
      EXPECT_GE(values.upper_cost, plan.transport_cost());
      EXPECT_NEAR(values.upper_cost, plan.transport_cost(), 1e-10 * plan.transport_cost());  // rounding included
      const Real entropic = plan.transport_cost() + 1.2 * plan.relative_entropy();
      EXPECT_GE(values.primal_cost, entropic - 1e-13 * std::abs(entropic));
      EXPECT_GE(values.primal_cost, values.dual_cost);
      EXPECT_NEAR(values.gap, values.primal_cost - values.dual_cost, 1e-12 * (1.0 + m) * (1.0 + m));
    }
  }
}

/// Any feasible plan costs at least what any dual potentials promise; only sums' rounding is allowed for.
TEST(WeakDuality, HoldsBetweenAnyTwoPairsOfPotentials) {
  struct Sides {
    MarginalPenalty source, target;
    Real mass_a, mass_b;
  };
  for (const Sides& sides :
       {Sides{KullbackLeibler{2.0}, KullbackLeibler{0.5}, 1.3, 0.8},
        Sides{TotalVariation{1.5}, TotalVariation{1.0}, 1.3, 0.8},
        Sides{TotalVariation{1.0}, KullbackLeibler{3.0}, 0.2, 5.0},
        Sides{MassRange{0.5, 1.5}, KullbackLeibler{3.0}, 1.3, 0.8},
        Sides{TotalVariation{1.0}, MassRange{0.0, 1.1}, 1.3, 0.8}, Sides{Balanced{}, KullbackLeibler{3.0}, 1.3, 0.8},
        Sides{TotalVariation{3.0}, Balanced{}, 1.3, 0.8}, Sides{Balanced{}, Balanced{}, 1.0, 1.0},
        Sides{Balanced{}, Balanced{}, 7.0, 7.0}}) {
    for (const Real epsilon : {0.2, 10.0}) {
      const Pair pair = pair_of(61, sides.mass_a, sides.mass_b);
      const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, sides.source, sides.target, epsilon);
      Real best_dual = -infinity;
      Real least_primal = infinity;
      Real size = 0.0;
      for (unsigned seed = 0; seed < 5; ++seed) {
        const Values f = reference::random_values(20, 100 + seed, -0.9, 1.4);
        const Values g = reference::random_values(20, 200 + seed, -0.9, 1.4);
        const TransportValues values =
            evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(g));
        EXPECT_GE(values.gap, 0.0);
        EXPECT_LE(values.lower_cost, values.upper_cost);
        best_dual = std::max(best_dual, values.dual_cost);
        least_primal = std::min(least_primal, values.primal_cost);
        size = std::max(size, values.transport_cost + std::abs(values.primal_cost) + std::abs(values.dual_cost));
      }
      EXPECT_TRUE(std::isfinite(best_dual) && std::isfinite(least_primal));
      EXPECT_GE(least_primal, best_dual - 1e-14 * size)
          << describe(sides.source) << ' ' << describe(sides.target) << " eps " << epsilon;
    }
  }
}

/// f1 = clamp(f, s + eps log lo, s + eps log hi), balanced lo = hi = 1, written out.
TEST(EvaluateTransport, PrimalCostUnderOneConstraintIsThatOfThePlanMovedOntoIt) {
  const std::vector<std::tuple<MarginalPenalty, Real, Real>> constraints = {
      {Balanced{}, 1.0, 1.0}, {MassRange{0.7, 1.1}, 0.7, 1.1}, {MassRange{0.0, 0.9}, 0.0, 0.9}};
  const KullbackLeibler kl{3.0};
  const Pair pair = pair_of(91, 1.3, 0.8);
  for (const Real epsilon : {0.5, 5.0}) {
    for (const auto& [constraint, low, high] : constraints) {
      const Values f = reference::random_values(20, 92, -0.9, 1.4);
      const Values g = reference::random_values(20, 93, -0.9, 1.4);
      Values h(20, log_zero);
      for (Index j = 0; j < 20; ++j) {
        if (pair.b[j] > 0.0) h[j] = std::log(pair.b[j]) + g[j] / epsilon;
      }
      const Values s = reference::softmin(pair.cost, h, epsilon);
      Values moved(20);
      for (Index i = 0; i < 20; ++i) {
        const Real least = low > 0.0 ? s[i] + epsilon * std::log(low) : -infinity;
        moved[i] = std::max(least, std::min(f[i], s[i] + epsilon * std::log(high)));
      }
      const Plan plan(pair.cost, pair.a, pair.b, moved, g, epsilon);
      const Real kept = plan.transport_cost() + penalty_of(kl, pair.b, plan.target_marginal());
      const Real primal = kept + epsilon * plan.relative_entropy();
      const TransportValues forth =
          evaluate_transport(test::alone(), test::problem_of(pair.grid, pair.a, pair.b, constraint, kl, epsilon),
                             reference::field_of(f), reference::field_of(g));
      const TransportValues back =
          evaluate_transport(test::alone(), test::problem_of(pair.grid, pair.b, pair.a, kl, constraint, epsilon),
                             reference::field_of(g), reference::field_of(f));
      for (const TransportValues& values : {forth, back}) {
        EXPECT_NEAR(values.primal_cost, primal, 1e-12 * primal) << describe(constraint) << " eps " << epsilon;
        EXPECT_GE(values.upper_cost, kept) << describe(constraint) << " eps " << epsilon;
        EXPECT_NEAR(values.upper_cost, kept, 1e-10 * kept) << describe(constraint) << " eps " << epsilon;
      }
    }
  }
}

TEST(Gap, VanishesAtTheSolutionUnderAnyPenaltiesThatLeaveAPlan) {
  const Pair pair = pair_of(71, 1.3, 0.8);
  const std::vector<std::pair<const char*, const char*>> penalties = {
      {"kl:2", "kl:0.5"},        {"tv:6", "tv:9"},     {"tv:8", "kl:3"},     {"range:0.5,1.5", "kl:3"},
      {"tv:5", "range:0.2,1.1"}, {"balanced", "kl:3"}, {"kl:3", "balanced"}, {"tv:9", "balanced"}};
  for (const auto& [source, target] : penalties) {
    TransportSettings settings = test::transport_settings(1.0, 1e-11, source);
    settings.target_penalty = target;
    const auto solution = test::solve_alone(settings, pair.grid, pair.a, pair.b);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << source << ' ' << target;
    EXPECT_LT(solution.values.gap, 1e-8) << source << ' ' << target;
    EXPECT_GE(solution.values.gap, -1e-13) << source << ' ' << target;
    EXPECT_TRUE(std::isfinite(solution.values.lower_cost));
    EXPECT_TRUE(std::isfinite(solution.values.upper_cost));
  }
}

/// a, b, f of mass m from those of mass 1: m a, m b, f - eps log m give m P.
TEST(EvaluateTransport, BalancedValuesScaleWithTheMassFrom1em300To1e300) {
  const Pair pair = pair_of(81, 1.0, 1.0);
  const Values f = reference::random_values(20, 82, -1.0, 1.0);
  const Values g = reference::random_values(20, 83, -1.0, 1.0);
  const Real epsilon = 0.8;
  const auto values_at = [&](Real m) {
    Values shifted = f;
    for (Real& value : shifted) value -= epsilon * std::log(m);
    const TransportProblem problem = test::problem_of(pair.grid, test::scaled_to_mass(pair.a, m),
                                                      test::scaled_to_mass(pair.b, m), Balanced{}, Balanced{}, epsilon);
    return evaluate_transport(test::alone(), problem, reference::field_of(shifted), reference::field_of(g));
  };
  const TransportValues unit = values_at(1.0);
  for (const Real m : {1e-300, 1e-5, 0.3, 12.0, 1e8, 1e300}) {
    const TransportValues values = values_at(m);
    EXPECT_NEAR(values.residual_source, unit.residual_source, 1e-11);
    EXPECT_NEAR(values.residual_target, unit.residual_target, 1e-11);
    EXPECT_NEAR(values.plan_mass / m, unit.plan_mass, 1e-11);
    EXPECT_NEAR(values.transport_cost / m, unit.transport_cost, 1e-10);
    EXPECT_NEAR(values.gap / m, unit.gap, 1e-10);
    EXPECT_NEAR(values.lower_cost / m, unit.lower_cost, 1e-8);  // with the rounding of larger potentials
    EXPECT_NEAR(values.upper_cost / m, unit.upper_cost, 1e-8);
    const Real offset = epsilon * (m - 1.0 - std::log(m));
    if (m > 1e150) {
      EXPECT_EQ(values.dual_cost, -infinity) << "eps m^2 is beyond a double";
      EXPECT_EQ(values.primal_cost, infinity);
    } else {
      EXPECT_NEAR(values.dual_cost / m, unit.dual_cost + offset, 1e-10 * (1.0 + m));
      EXPECT_NEAR(values.primal_cost / m, unit.primal_cost + offset, 1e-10 * (1.0 + m));
    }
  }
}

TEST(EvaluateTransport, ValuesWithoutACertificateAreInfinite) {
  const auto values_under = [](const MarginalPenalty& source, const MarginalPenalty& target, Real mass_b) {
    const Pair pair = pair_of(41, 2.0, mass_b);
    const Field zero = make_field("zero", 1, 20);
    return evaluate_transport(test::alone(), test::problem_of(pair.grid, pair.a, pair.b, source, target, 1.0), zero,
                              zero);
  };
  const TransportValues ranges = values_under(MassRange{}, MassRange{}, 2.0);
  EXPECT_EQ(ranges.primal_cost, infinity);
  EXPECT_EQ(ranges.upper_cost, infinity);
  EXPECT_EQ(ranges.gap, infinity);
  EXPECT_TRUE(std::isfinite(ranges.lower_cost));
  const TransportValues unequal = values_under(Balanced{}, Balanced{}, 2.1);
  EXPECT_EQ(unequal.primal_cost, infinity);
  EXPECT_EQ(unequal.upper_cost, infinity);
  EXPECT_EQ(unequal.lower_cost, -infinity);
}

TEST(EvaluateTransport, PotentialsBelowTheDomainOfTotalVariationGiveNoDualCost) {
  const Pair pair = pair_of(43, 1.0, 1.2);
  const TotalVariation tv{2.0};
  const TransportProblem problem = test::problem_of(pair.grid, pair.a, pair.b, tv, tv, 1.0);
  const Values f(20, 0.0);
  for (const Real g : {-2.0, -2.0000001}) {
    const TransportValues values =
        evaluate_transport(test::alone(), problem, reference::field_of(f), reference::field_of(Values(20, g)));
    EXPECT_EQ(std::isfinite(values.dual_cost), g == -2.0);
    EXPECT_EQ(std::isfinite(values.gap), g == -2.0);
    EXPECT_TRUE(std::isfinite(values.upper_cost)) << "the plan is feasible all the same";
    EXPECT_TRUE(std::isfinite(values.lower_cost));
  }
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
