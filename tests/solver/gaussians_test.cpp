// Solves against closed forms for Gaussians (derived in gaussians.hpp). Grids reach 7 standard deviations with a spacing
// that makes sums equal integrals to 1e-11, so that what is tested is the solver.
#include "gaussians.hpp"

#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Gaussian;
using test::Values;

Gaussian on_line(Real mean, Real variance, Real mass = 1.0) { return {{mean}, {{{variance, 0.0}, {0.0, 0.0}}}, mass}; }

Grid line_from(Real low, Real high, Real spacing) {
  return Grid{{{static_cast<Index>(std::lround((high - low) / spacing)) + 1, spacing, low}}, {}};
}

TEST(BalancedGaussians, OnALineHaveTheClosedFormsValueAndCost) {
  const Gaussian a = on_line(-0.5, 1.0);
  const Gaussian b = on_line(1.0, 0.4);
  const Grid grid = line_from(-7.8, 7.2, 0.15);
  for (const Real epsilon : {0.5, 2.0, 8.0}) {
    const auto expected = test::balanced_transport(a, b, epsilon);
    const auto solution = test::solve_alone(test::transport_settings(epsilon, 1e-11), grid, test::sampled(a, grid),
                                            test::sampled(b, grid));
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_NEAR(solution.values.dual_cost, expected.value, 1e-9);
    EXPECT_NEAR(solution.values.primal_cost, expected.value, 1e-9);
    EXPECT_NEAR(solution.values.transport_cost, expected.transport_cost, 1e-9);
  }
}

TEST(BalancedGaussians, PotentialsAreTheClosedFormsParabolas) {
  const Gaussian a = on_line(0.3, 1.0);
  const Gaussian b = on_line(0.3, 0.4);
  const Grid grid = line_from(-7.2, 7.8, 0.15);
  const auto solution =
      test::solve_alone(test::transport_settings(1.0, 1e-12), grid, test::sampled(a, grid), test::sampled(b, grid));
  const Values f = host_values(solution.f);
  const Values g = host_values(solution.g);
  const Index centre = 50;  // equal means: no linear term
  for (Index i = centre - 20; i <= centre + 20; ++i) {
    const Real x = 0.15 * static_cast<Real>(i - centre);
    EXPECT_NEAR(f[i] - f[centre], test::balanced_curvature(1.0, 0.4, 1.0) * x * x, 1e-8);
    EXPECT_NEAR(g[i] - g[centre], test::balanced_curvature(0.4, 1.0, 1.0) * x * x, 1e-8);
  }
}

TEST(BalancedGaussians, InThePlaneWithTiltedCovariancesHaveTheClosedFormsValue) {
  const Gaussian a{{-0.5, 0.25}, {{{1.0, 0.4}, {0.4, 0.8}}}};
  const Gaussian b{{0.5, 0.0}, {{{0.6, -0.2}, {-0.2, 1.1}}}};
  const Grid grid{{{40, 0.4, -8.0}, {40, 0.4, -7.8}}, {}};
  for (const Real epsilon : {1.0, 4.0}) {
    const auto expected = test::balanced_transport(a, b, epsilon);
    const auto solution = test::solve_alone(test::transport_settings(epsilon, 1e-11), grid, test::sampled(a, grid),
                                            test::sampled(b, grid));
    EXPECT_NEAR(solution.values.dual_cost, expected.value, 1e-9);
    EXPECT_NEAR(solution.values.primal_cost, expected.value, 1e-9);
    EXPECT_NEAR(solution.values.transport_cost, expected.transport_cost, 1e-9);
  }
}

TEST(UnbalancedGaussians, OnALineHaveTheClosedFormsValueCostAndMass) {
  const Gaussian a = on_line(-0.5, 1.0, 1.3);
  const Gaussian b = on_line(1.0, 0.5, 0.6);
  const Grid grid = line_from(-8.0, 8.0, 0.16);
  for (const Real epsilon : {0.5, 2.0}) {
    for (const Real rho : {0.5, 4.0, 100.0}) {
      const auto expected = test::unbalanced_transport(a, b, epsilon, rho);
      const auto solution = test::solve_alone(test::transport_settings(epsilon, 1e-12, "kl:" + std::to_string(rho)),
                                              grid, test::sampled(a, grid), test::sampled(b, grid));
      EXPECT_EQ(solution.outcome.reason, StopReason::converged);
      EXPECT_NEAR(solution.values.plan_mass, expected.plan_mass, 1e-9);
      EXPECT_NEAR(solution.values.transport_cost, expected.transport_cost, 1e-9);
      EXPECT_NEAR(solution.values.dual_cost, expected.value, 1e-9);
      EXPECT_NEAR(solution.values.primal_cost, expected.value, 1e-9);
    }
  }
}

TEST(UnbalancedGaussians, InThePlaneHaveTheClosedFormsValueAndMass) {
  const Gaussian a{{-0.5, 0.25}, {{{1.0, 0.0}, {0.0, 0.6}}}, 0.7};
  const Gaussian b{{0.5, 0.0}, {{{0.6, 0.0}, {0.0, 1.1}}}, 1.4};
  const Grid grid{{{40, 0.4, -8.0}, {40, 0.4, -7.8}}, {}};
  const auto expected = test::unbalanced_transport(a, b, 1.5, 3.0);
  const auto solution = test::solve_alone(test::transport_settings(1.5, 1e-12, "kl:3"), grid, test::sampled(a, grid),
                                          test::sampled(b, grid));
  EXPECT_NEAR(solution.values.plan_mass, expected.plan_mass, 1e-9);
  EXPECT_NEAR(solution.values.transport_cost, expected.transport_cost, 1e-9);
  EXPECT_NEAR(solution.values.primal_cost, expected.value, 1e-9);
}

TEST(UnbalancedGaussians, BecomeBalancedAsRhoGrows) {
  const Gaussian a = on_line(-0.5, 1.0);
  const Gaussian b = on_line(1.0, 0.4);
  EXPECT_NEAR(test::unbalanced_transport(a, b, 1.0, 1e9).value, test::balanced_transport(a, b, 1.0).value, 1e-6);
}

}  // namespace
}  // namespace hpot
