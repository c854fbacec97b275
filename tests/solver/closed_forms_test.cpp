// Solves with answers known on paper: single points, translations, equal inputs, one dimension.
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

/// All of `mass` in one cell.
Values point_mass(Index n, Index at, Real mass = 1.0) {
  Values weights(n, 0.0);
  weights[at] = mass;
  return weights;
}

TEST(Diracs, BalancedCostIsTheSquaredDistanceAtAnyEpsilon) {
  const Grid grid = make_grid({9, 11}, {1.0, 2.0});
  for (const Real epsilon : {0.05, 1.0, 100.0}) {
    const auto solution = test::solve_alone(test::transport_settings(epsilon, 1e-12), grid, point_mass(99, 1 * 11 + 9),
                                            point_mass(99, 7 * 11 + 2));
    const Real distance2 = 6.0 * 6.0 + 14.0 * 14.0;
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_NEAR(solution.values.transport_cost, distance2, 1e-11 * distance2);
    EXPECT_NEAR(solution.values.dual_cost, distance2, 1e-11 * distance2);
    EXPECT_NEAR(solution.values.primal_cost, distance2, 1e-11 * distance2);
  }
}

/// min over m of C m + eps (m log(m/(m_a m_b)) - m + m_a m_b) + rho KL(m | m_a) + rho KL(m | m_b).
TEST(Diracs, UnderKullbackLeiblerLoseMassByTheClosedForm) {
  const Grid line = make_grid({12}, {1.0});
  const Real cost = 25.0;
  for (const Real rho : {3.0, 40.0}) {
    for (const Real epsilon : {0.5, 5.0}) {
      const Real product = 2.0 * 0.5;
      const Real m = std::exp(((epsilon + rho) * std::log(product) - cost) / (epsilon + 2.0 * rho));
      const auto solution = test::solve_alone(test::transport_settings(epsilon, 1e-12, "kl:" + std::to_string(rho)),
                                              line, point_mass(12, 2, 2.0), point_mass(12, 7, 0.5));
      EXPECT_NEAR(solution.values.plan_mass, m, 1e-10 * m);
      EXPECT_NEAR(solution.values.dual_cost, rho * 2.5 + epsilon * product - (epsilon + 2.0 * rho) * m, 1e-10);
    }
  }
}

/// C + eps log m - 2 rho = 0 where that m is below the masses, else the masses are met.
TEST(Diracs, UnderTotalVariationMoveOnlyWhenTheCostIsBelowTwoRho) {
  const Grid line = make_grid({12}, {1.0});
  for (const Real rho : {11.0, 12.0, 13.0, 30.0}) {
    const auto solution = test::solve_alone(test::transport_settings(1.5, 1e-12, "tv:" + std::to_string(rho)), line,
                                            point_mass(12, 2), point_mass(12, 7));
    EXPECT_NEAR(solution.values.plan_mass, std::min(1.0, std::exp((2.0 * rho - 25.0) / 1.5)), 1e-10);
  }
}

Values shifted(const Grid& grid, const Values& weights, Index rows, Index columns) {
  const Index width = grid.axes[1].n;
  Values moved(weights.size(), 0.0);
  for (Index p = 0; p < grid.points(); ++p) {
    if (weights[p] > 0.0) moved[p + rows * width + columns] = weights[p];
  }
  return moved;
}

/// A measure in the corner of the grid, 9 x 8 cells, a third of them empty.
Values in_the_corner(const Grid& grid, unsigned seed) {
  const Values corner = test::random_measure(72, seed, 0.3);
  Values weights(grid.points(), 0.0);
  for (Index i = 0; i < 9; ++i) {
    for (Index j = 0; j < 8; ++j) weights[i * grid.axes[1].n + j] = corner[i * 8 + j];
  }
  return weights;
}

TEST(Translation, OfTheSameMeasureCostsItsSquaredLengthMoreThanItself) {
  // |x - y - t|^2 = |x - y|^2 - 2 t.(x - y) + |t|^2, and the means agree.
  const Grid grid = make_grid({14, 16}, {1.0, 1.25});
  const Values a = in_the_corner(grid, 3);
  const auto settings = test::transport_settings(0.8, 1e-11);
  const auto self = test::solve_alone(settings, grid, a, a);
  const auto moved = test::solve_alone(settings, grid, a, shifted(grid, a, 4, 6));
  const Real length2 = 4.0 * 4.0 + 7.5 * 7.5;
  EXPECT_NEAR(moved.values.dual_cost, self.values.dual_cost + length2, 1e-9 * length2);
  EXPECT_NEAR(moved.values.transport_cost, self.values.transport_cost + length2, 1e-9 * length2);
}

TEST(Translation, OfTheTargetAddsALinearFunctionToThePotentials) {
  const Grid grid = make_grid({14, 16}, {1.0, 1.25});
  const Values a = in_the_corner(grid, 4);
  const Values b = in_the_corner(grid, 5);
  const auto settings = test::transport_settings(0.8, 1e-12);
  const auto still = test::solve_alone(settings, grid, a, b);
  const auto moved = test::solve_alone(settings, grid, a, shifted(grid, b, 4, 6));
  const Values before = host_values(still.f);
  const Values after = host_values(moved.f);
  const auto points = reference::points_of(grid);
  for (Index p = 1; p < 9 * 16; ++p) {
    if (a[p] <= 0.0) continue;
    const Real linear = -2.0 * (4.0 * (points[p][0] - points[0][0]) + 7.5 * (points[p][1] - points[0][1]));
    EXPECT_NEAR((after[p] - after[0]) - (before[p] - before[0]), linear, 1e-7);
  }
}

TEST(EqualInputs, HaveDivergenceZero) {
  const Grid grid = make_grid({12, 9}, {1.0, 1.0});
  const Values a = test::random_measure(108, 8, 0.4);
  for (const char* penalty : {"balanced", "kl:3", "tv:3"}) {
    const auto settings = test::transport_settings(0.6, 1e-10, penalty);
    const auto solution = test::solve_alone(settings, grid, a, a);
    EXPECT_NEAR(sinkhorn_divergence(test::alone(), settings, {grid, grid, a, a}, solution).value, 0.0, 1e-12);
  }
}

TEST(Divergence, IsPositiveBetweenDifferentMeasuresAlsoOfDifferentMass) {
  const Grid grid = make_grid({12, 9}, {1.0, 1.0});
  const Values a = test::random_measure(108, 8, 0.4);
  const Values b = test::scaled_to_mass(test::random_measure(108, 9, 0.4), 1.4);
  const auto settings = test::transport_settings(0.6, 1e-10, "kl:3");
  const auto solution = test::solve_alone(settings, grid, a, b);
  EXPECT_GT(sinkhorn_divergence(test::alone(), settings, {grid, grid, a, b}, solution).value, 1e-3);
}

/// W2^2 of histograms on one line: mass in order, left to right.
Real quantile_cost(const Values& a, const Values& b) {
  Real cost = 0.0;
  std::size_t i = 0;
  std::size_t j = 0;
  Real left_a = a[0];
  Real left_b = b[0];
  while (true) {
    const Real moved = std::min(left_a, left_b);
    const Real step = static_cast<Real>(i) - static_cast<Real>(j);
    cost += moved * step * step;
    left_a -= moved;
    left_b -= moved;
    if (left_a <= 0.0 && ++i < a.size()) left_a = a[i];
    if (left_b <= 0.0 && ++j < b.size()) left_b = b[j];
    if (i >= a.size() || j >= b.size()) return cost;
  }
}

TEST(OneDimension, SmallEpsilonReachesTheQuantileFormula) {
  const Grid line = make_grid({40}, {1.0});
  for (const unsigned seed : {1U, 2U, 3U}) {
    const Values a = test::random_measure(40, seed, 0.5);
    const Values b = test::random_measure(40, seed + 10, 0.5);
    const Real exact = quantile_cost(a, b);
    const auto solution = test::solve_alone(test::transport_settings(0.1, 1e-8), line, a, b);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_NEAR(solution.values.transport_cost, exact, 1e-4);  // excess costs are integers: a factor exp(-1/eps)
    EXPECT_GE(solution.values.upper_cost, exact - 1e-12);
    EXPECT_LE(solution.values.upper_cost, exact + 1e-4);
    EXPECT_LE(solution.values.dual_cost, exact + 0.1 * std::min(test::entropy_of(a), test::entropy_of(b)));
  }
}

}  // namespace
}  // namespace hpot
