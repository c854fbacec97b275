// Barycenters against closed forms (gaussians.hpp) and the identities that define them.
#include "hpot/solver/solve_barycenter.hpp"

#include "gaussians.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Gaussian;
using test::Values;

BarycenterSettings settings_for(Real epsilon, Real tolerance, bool debiased) {
  BarycenterSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {epsilon, "cost"};
  settings.stopping = {tolerance, 20000, infinity};
  settings.debiased = debiased;
  return settings;
}

BarycenterSolution solve_alone(const BarycenterSettings& settings, const Grid& grid,
                               const std::vector<Values>& measures, const Values& lambda) {
  return solve_barycenter(ProcessGrid(test::alone(), {1, 1}), settings, grid, measures, lambda, {});
}

struct Moments {
  Real mass = 0.0;
  Real mean = 0.0;
  Real variance = 0.0;
};

Moments moments_of(const Values& weights, const Grid& line) {
  Moments m;
  for (Index i = 0; i < line.axes[0].n; ++i) {
    const Real x = line.axes[0].coordinate(i);
    m.mass += weights[i];
    m.mean += weights[i] * x;
    m.variance += weights[i] * x * x;
  }
  m.mean /= m.mass;
  m.variance = m.variance / m.mass - m.mean * m.mean;
  return m;
}

struct ThreeGaussians {
  Grid grid{{{144, 0.125, -9.0}}, {}};
  Values lambda{0.5, 0.2, 0.3};
  Values means{-1.0, 0.5, 2.0};
  Values variances{0.5, 1.0, 1.6};
  [[nodiscard]] std::vector<Values> measures() const {
    std::vector<Values> all;
    for (int k = 0; k < 3; ++k) all.push_back(test::sampled({{means[k]}, {{{variances[k], 0.0}, {0.0, 0.0}}}}, grid));
    return all;
  }
};

TEST(GaussianBarycenters, PlainHasTheClosedFormsMeanAndVariance) {
  const ThreeGaussians three;
  for (const Real epsilon : {0.5, 2.0}) {
    const auto solution = solve_alone(settings_for(epsilon, 1e-9, false), three.grid, three.measures(), three.lambda);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    const Moments m = moments_of(host_values(solution.result.barycenter), three.grid);
    EXPECT_NEAR(m.mass, 1.0, 1e-13);
    EXPECT_NEAR(m.mean, test::weighted_sum(three.lambda, three.means), 1e-7);
    EXPECT_NEAR(m.variance, test::barycenter_variance(three.lambda, three.variances, epsilon, false), 1e-6);
  }
}

TEST(GaussianBarycenters, DebiasedHasTheClosedFormsMeanAndVariance) {
  const ThreeGaussians three;
  for (const Real epsilon : {0.5, 2.0}) {
    const auto solution = solve_alone(settings_for(epsilon, 1e-6, true), three.grid, three.measures(), three.lambda);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    const Moments m = moments_of(host_values(solution.result.barycenter), three.grid);
    EXPECT_NEAR(m.mass, 1.0, 1e-13);
    EXPECT_NEAR(m.mean, test::weighted_sum(three.lambda, three.means), 1e-4);
    EXPECT_NEAR(m.variance, test::barycenter_variance(three.lambda, three.variances, epsilon, true), 1e-4);
  }
}

// Plain only: debiasing deconvolves, and at a marginal error of 1e-6 the values are still 1e-3 off.
TEST(GaussianBarycenters, PlainIsGaussianAtEveryPoint) {
  const ThreeGaussians three;
  const auto solution = solve_alone(settings_for(1.0, 1e-9, false), three.grid, three.measures(), three.lambda);
  const Real variance = test::barycenter_variance(three.lambda, three.variances, 1.0, false);
  const Gaussian expected{{test::weighted_sum(three.lambda, three.means)}, {{{variance, 0.0}, {0.0, 0.0}}}};
  EXPECT_LT(reference::largest_difference(host_values(solution.result.barycenter), test::sampled(expected, three.grid)),
            1e-8);
}

TEST(GaussianBarycenters, AtAVertexOfLambdaPlainIsBlurredByHalfEpsilonAndDebiasedIsNot) {
  const ThreeGaussians three;
  const Values vertex{0.0, 1.0, 0.0};
  for (const bool debiased : {false, true}) {
    const auto solution =
        solve_alone(settings_for(1.0, debiased ? 1e-6 : 1e-9, debiased), three.grid, three.measures(), vertex);
    const Moments m = moments_of(host_values(solution.result.barycenter), three.grid);
    EXPECT_NEAR(m.variance, debiased ? 1.0 : 1.5, debiased ? 1e-4 : 1e-6);
    EXPECT_NEAR(m.mean, 0.5, debiased ? 1e-4 : 1e-7);
  }
}

TEST(DebiasedBarycenter, OfEqualMeasuresIsThatMeasure) {
  const Grid grid{{{24, 0.5, -6.0}, {20, 0.5, -5.0}}, {}};
  Values a = test::sampled({{-1.5, 0.5}, {{{0.8, 0.3}, {0.3, 0.6}}}}, grid);
  const Values b = test::sampled({{1.5, -1.0}, {{{0.5, 0.0}, {0.0, 1.0}}}}, grid);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = 0.6 * a[i] + 0.4 * b[i];
  BarycenterSettings settings = settings_for(0.5, 1e-8, true);
  settings.schedule.multiscale = false;
  const auto solution = solve_alone(settings, grid, {a, a, a}, {0.2, 0.5, 0.3});
  EXPECT_EQ(solution.outcome.reason, StopReason::converged);
  const Values mu = host_values(solution.result.barycenter);
  Real error = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) error += std::abs(mu[i] - a[i]);
  EXPECT_LT(error, 1e-4);
}

/// In double precision the errors of the result are those that the sweeps stopped at, but for what windows leave out.
TEST(Barycenter, ReportsTheErrorsOfWhatItReturns) {
  const Grid grid = make_grid({16, 12}, {1.0, 1.0});
  const std::vector<Values> measures = {test::random_measure(192, 1, 0.5), test::random_measure(192, 2, 0.5),
                                        test::random_measure(192, 3, 0.5)};
  for (const bool debiased : {false, true}) {
    BarycenterSettings settings = settings_for(0.5, 1e-12, debiased);
    settings.stopping.max_iterations = 40;
    const auto solution = solve_alone(settings, grid, measures, {0.2, 0.3, 0.5});
    const BarycenterErrors& errors = solution.result.errors;
    ASSERT_EQ(errors.marginal.size(), 3U);
    const Real worst = *std::max_element(errors.marginal.begin(), errors.marginal.end());
    EXPECT_GT(worst, 0.0);
    EXPECT_EQ(errors.self_transport > 0.0, debiased);
    EXPECT_NEAR(std::max(worst, errors.self_transport), solution.outcome.error, 1e-11);
    EXPECT_GT(errors.floor, 0.0);
    EXPECT_LT(errors.floor, 1e-10);
  }
}

TEST(Barycenter, HasMassOneAtAnyTolerance) {
  const Grid grid = make_grid({16, 12}, {1.0, 1.0});
  const std::vector<Values> measures = {test::random_measure(192, 1, 0.5), test::random_measure(192, 2, 0.5)};
  for (const bool debiased : {false, true}) {
    for (const Index sweeps : {1, 3, 30}) {
      BarycenterSettings settings = settings_for(0.5, 1e-12, debiased);
      settings.stopping.max_iterations = sweeps;
      const auto solution = solve_alone(settings, grid, measures, {0.3, 0.7});
      EXPECT_EQ(solution.outcome.reason, StopReason::max_iterations);
      const Values mu = host_values(solution.result.barycenter);
      EXPECT_NEAR(std::accumulate(mu.begin(), mu.end(), 0.0), 1.0, 1e-12);
      EXPECT_EQ(mu.size(), 192U);
      for (const Real value : mu) EXPECT_GE(value, 0.0);
    }
  }
}

TEST(Barycenter, ReportedErrorIsTheLargestMarginalError) {
  const Grid grid = make_grid({6, 5}, {1.0, 1.0});
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, grid, grid);
  const std::vector<Values> measures = {test::random_measure(30, 3, 0.3), test::random_measure(30, 4, 0.3)};
  const Values lambda{0.4, 0.6};
  const Real epsilon = 0.8;
  MultiscaleBarycenter problem({"separable", SquaredEuclidean{}}, {grid, measures, lambda, false},
                               ProcessGrid(test::alone(), {1, 1}), 1 << 20);
  FixedPointMap& map = problem.enter(0);
  map.set_epsilon(epsilon);
  for (int sweep = 0; sweep < 5; ++sweep) {
    const Values f = host_values(map.state()[0]);
    const Real error = map.evaluate();

    std::vector<Values> s(2);
    Values log_ratio(30, 0.0);
    for (int k = 0; k < 2; ++k) {
      Values h(30);
      for (int i = 0; i < 30; ++i) h[i] = -std::log(30.0) + f[30 * k + i] / epsilon;
      const Values g = reference::softmin(cost, h, epsilon);
      for (int j = 0; j < 30; ++j) h[j] = measures[k][j] > 0.0 ? std::log(measures[k][j]) + g[j] / epsilon : log_zero;
      s[k] = reference::softmin(cost, h, epsilon);
      for (int i = 0; i < 30; ++i) log_ratio[i] -= lambda[k] * s[k][i] / epsilon;
    }
    Real largest = 0.0;
    for (int k = 0; k < 2; ++k) {
      Real sum = 0.0;
      for (int i = 0; i < 30; ++i) {
        sum += std::abs(std::exp((f[30 * k + i] - s[k][i]) / epsilon) - std::exp(log_ratio[i])) / 30.0;
      }
      largest = std::max(largest, sum);
    }
    EXPECT_NEAR(error, largest, 1e-12);
    map.accept();
  }
}

TEST(Barycenter, OfTwoMeasuresInSwappedOrderIsTheSame) {
  const Grid grid = make_grid({14, 14}, {1.0, 1.0});
  const Values a = test::random_measure(196, 5, 0.4);
  const Values b = test::random_measure(196, 6, 0.4);
  const auto settings = settings_for(2.0, 1e-9, false);
  const auto one = solve_alone(settings, grid, {a, b}, {0.25, 0.75});
  const auto two = solve_alone(settings, grid, {b, a}, {0.75, 0.25});
  EXPECT_LT(reference::largest_difference(host_values(one.result.barycenter), host_values(two.result.barycenter)),
            1e-9);
}

}  // namespace
}  // namespace hpot
