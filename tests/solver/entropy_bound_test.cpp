// Barycenters of bounded entropy against the closed form for Gaussians, and against plain loops of another method: sweeps at
// a fixed multiplier of the bound.
#include "hpot/solver/solve_barycenter.hpp"

#include "gaussians.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

BarycenterSettings settings_for(Real epsilon, Real tolerance) {
  BarycenterSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {epsilon, "cost"};
  settings.stopping = {tolerance, 20000, infinity};
  settings.debiased = false;
  settings.entropy_bounded = true;
  return settings;
}

BarycenterSolution solve_alone(const BarycenterSettings& settings, const Grid& grid,
                               const std::vector<Values>& measures, const Values& lambda) {
  return solve_barycenter(ProcessGrid(test::alone(), {1, 1}), settings, grid, measures, lambda, {});
}

/// In nats relative to the uniform map.
Real entropy_of(const Values& map) {
  Real sum = 0.0, mass = 0.0;
  for (const Real p : map) {
    mass += p;
    if (p > 0.0) sum -= p * std::log(p * static_cast<Real>(map.size()));
  }
  return sum / mass + std::log(mass);
}

Real l1(const Values& x, const Values& y) {
  Real sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - y[i]);
  return sum;
}

const Grid line{{{144, 0.125, -9.0}}, {}};

Values gaussian(Real mean, Real variance) { return test::sampled({{mean}, {{{variance, 0.0}, {0.0, 0.0}}}}, line); }

/// The multiplier for which variance S is best: f_k has the second-order coefficient 1 - v_k/c_k, c_k the plan's covariance
/// (gaussians.hpp), and sum_k lambda_k f_k = gamma log(mu/q) + constant.
Real exponent_for(Real S, const Values& lambda, const Values& variances, Real epsilon) {
  const Real e = 0.25 * epsilon;
  Real gamma = 0.0;
  for (std::size_t k = 0; k < lambda.size(); ++k) {
    const Real v = variances[k];
    gamma -= 2.0 * S * lambda[k] * (1.0 - v / (std::sqrt(e * e + S * v) - e));
  }
  return 1.0 / (1.0 - gamma / epsilon);
}

TEST(EntropyBoundedBarycenter, OfEqualGaussiansIsThatGaussianWherePlainIsBlurred) {
  const Values input = gaussian(0.5, 1.0);
  for (const Real epsilon : {0.5, 2.0}) {
    const auto solution = solve_alone(settings_for(epsilon, 1e-9), line, {input, input}, {0.3, 0.7});
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_LT(l1(host_values(solution.result.barycenter), input), 1e-8);
    EXPECT_NEAR(solution.result.entropy.exponent, exponent_for(1.0, {1.0}, {1.0}, epsilon), 1e-6);
    EXPECT_GT(solution.result.entropy.exponent, 2.0);
  }
}

TEST(EntropyBoundedBarycenter, OfGaussiansIsTheGaussianOfThatEntropy) {
  const Values lambda{0.5, 0.2, 0.3}, means{-1.0, 0.5, 2.0}, variances{0.5, 1.0, 1.6};
  std::vector<Values> measures;
  for (int k = 0; k < 3; ++k) measures.push_back(gaussian(means[k], variances[k]));
  for (const Real variance : {1.6, 1.2}) {
    BarycenterSettings settings = settings_for(2.0, 1e-10);
    if (variance != 1.6) settings.entropy_bound = entropy_of(gaussian(0.0, variance));
    const auto solution = solve_alone(settings, line, measures, lambda);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    const Values mu = host_values(solution.result.barycenter);
    EXPECT_LT(l1(mu, gaussian(test::weighted_sum(lambda, means), variance)), 1e-6);
    EXPECT_NEAR(solution.result.entropy.exponent, exponent_for(variance, lambda, variances, 2.0), 1e-5);
    EXPECT_NEAR(entropy_of(mu), solution.result.entropy.bound, 1e-11);
  }
}

TEST(EntropyBoundedBarycenter, MeetsBoundsUpToThatOfMeasuresNarrowerByHalfEps) {
  const std::vector<Values> measures{gaussian(-1.0, 1.0), gaussian(1.5, 1.0)};
  const Real epsilon = 1.0;
  for (const char* mixing : {"anderson", "none"}) {
    BarycenterSettings settings = settings_for(epsilon, 1e-8);
    settings.acceleration.type = mixing;
    for (const Real variance : {0.7, 0.55, 0.52}) {
      settings.entropy_bound = entropy_of(gaussian(0.0, variance));
      const auto solution = solve_alone(settings, line, measures, {0.4, 0.6});
      const std::string name = mixing + std::string(", variance ") + std::to_string(variance);
      EXPECT_EQ(solution.outcome.reason, StopReason::converged) << name;
      EXPECT_LT(solution.outcome.iterations, 2000) << name;
      EXPECT_LT(l1(host_values(solution.result.barycenter), gaussian(0.5, variance)), 1e-5) << name;
      const Real exponent = exponent_for(variance, {1.0}, {1.0}, epsilon);
      EXPECT_NEAR(solution.result.entropy.exponent, exponent, 1e-3 * exponent) << name;
    }
    settings.entropy_bound = entropy_of(gaussian(0.0, 0.48));
    settings.stopping.max_iterations = 500;
    EXPECT_EQ(solve_alone(settings, line, measures, {0.4, 0.6}).outcome.reason, StopReason::max_iterations) << mixing;
  }
}

TEST(EntropyBoundedBarycenter, IsThePlainOneWhereThatIsSharpEnough) {
  const std::vector<Values> measures{gaussian(-1.0, 0.5), gaussian(0.5, 1.0), gaussian(2.0, 1.6)};
  const Values lambda{0.5, 0.2, 0.3};
  BarycenterSettings settings = settings_for(0.5, 1e-10);
  const auto bounded = solve_alone(settings, line, measures, lambda);
  settings.entropy_bounded = false;
  const auto plain = solve_alone(settings, line, measures, lambda);
  EXPECT_EQ(bounded.result.entropy.exponent, 1.0);
  EXPECT_LT(bounded.result.entropy.entropy, bounded.result.entropy.bound);
  EXPECT_LT(l1(host_values(bounded.result.barycenter), host_values(plain.result.barycenter)), 1e-9);
}

TEST(EntropyBoundedBarycenter, HasMassOneAndMeetsItsBoundAtAnyTolerance) {
  const Grid grid = make_grid({16, 12}, {1.0, 1.0});
  const std::vector<Values> measures = {test::random_measure(192, 1, 0.5), test::random_measure(192, 2, 0.5)};
  for (const Index sweeps : {1, 3, 30, 3000}) {
    BarycenterSettings settings = settings_for(8.0, 1e-8);
    settings.entropy_bound = -0.9;
    settings.schedule.multiscale = false;
    settings.stopping.max_iterations = sweeps;
    const auto solution = solve_alone(settings, grid, measures, {0.3, 0.7});
    const Values mu = host_values(solution.result.barycenter);
    EXPECT_NEAR(std::accumulate(mu.begin(), mu.end(), 0.0), 1.0, 1e-12);
    EXPECT_LT(entropy_of(mu), -0.9 + 1e-11);
    for (const Real value : mu) EXPECT_GE(value, 0.0);
    EXPECT_EQ(solution.outcome.reason == StopReason::converged, sweeps == 3000);
  }
}

struct ThreeBumps {
  Grid grid;
  Values lambda{0.5, 0.2, 0.3};
  std::vector<Values> measures;

  explicit ThreeBumps(bool of_one_mass, Index n = 24) : grid(make_grid({n}, {10.0 / static_cast<Real>(n)})) {
    const Values centers{3.0, 5.0, 6.5}, masses{0.4, 1.0, 2.5};
    for (int k = 0; k < 3; ++k) {
      Values b(n);
      for (Index j = 0; j < n; ++j) {
        const Real x = (static_cast<Real>(j) + 0.5) * 10.0 / static_cast<Real>(n) - centers[k];
        b[j] = std::exp(-x * x) + (j % 5 == k ? 0.1 : 0.0);
      }
      measures.push_back(test::scaled_to_mass(b, of_one_mass ? 1.0 : masses[k]));
    }
    measures[1][0] = 0.0;
  }
};

/// mu at the multiplier gamma = t eps: D = t (log(p/q) + H(p)), f_k = s_k + eps (D + m).
Values at_multiplier(const ThreeBumps& bumps, const MarginalPenalty& penalty, Real epsilon, Real t) {
  const std::size_t n = bumps.measures[0].size();
  const Real log_q = -std::log(static_cast<Real>(n));
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, bumps.grid, bumps.grid);
  std::vector<Values> f(3, Values(n, 0.0));
  Values offset(n, 0.0), mu(n);
  for (int sweep = 0; sweep < 400; ++sweep) {
    Values m(n, 0.0);
    for (int k = 0; k < 3; ++k) {
      Values h;
      for (const Real value : f[k]) h.push_back(log_q + value / epsilon);
      Values g = reference::softmin(cost, h, epsilon);
      for (Real& value : g) value = std::visit([&](const auto& p) { return p.prox(value, epsilon); }, penalty);
      for (std::size_t j = 0; j < n; ++j)
        h[j] = bumps.measures[k][j] > 0.0 ? std::log(bumps.measures[k][j]) + g[j] / epsilon : log_zero;
      f[k] = reference::softmin(cost, h, epsilon);
      for (std::size_t i = 0; i < n; ++i) m[i] -= bumps.lambda[k] * f[k][i] / epsilon;
    }
    for (std::size_t i = 0; i < n; ++i) mu[i] = std::exp(log_q + offset[i] + m[i]);
    const Real mass = std::accumulate(mu.begin(), mu.end(), 0.0);
    const Real entropy = entropy_of(mu);
    for (std::size_t i = 0; i < n; ++i) offset[i] = t * (std::log(mu[i] / mass) - log_q + entropy);
    for (Values& potential : f) {
      for (std::size_t i = 0; i < n; ++i) potential[i] += epsilon * (offset[i] + m[i]);
    }
  }
  return mu;
}

TEST(EntropyBoundedBarycenter, IsThatOfItsMultiplierInPlainLoopsUnderAnyPenalty) {
  const Real epsilon = 3.0;
  for (const char* penalty : {"balanced", "kl:2", "tv:1.5", "range:0.3,2.2"}) {
    const ThreeBumps bumps(std::string(penalty) == "balanced");
    BarycenterSettings settings = settings_for(epsilon, 1e-10);
    settings.penalty = penalty;
    const auto solution = solve_alone(settings, bumps.grid, bumps.measures, bumps.lambda);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
    Real bound = -infinity;
    for (const Values& measure : bumps.measures) bound = std::max(bound, entropy_of(measure));
    EXPECT_NEAR(solution.result.entropy.bound, bound, 1e-12) << penalty;
    EXPECT_GT(solution.result.entropy.exponent, 1.05) << penalty;
    const Values expected =
        at_multiplier(bumps, parse_penalty(penalty), epsilon, 1.0 - 1.0 / solution.result.entropy.exponent);
    EXPECT_NEAR(entropy_of(expected), bound, 1e-8) << penalty;
    EXPECT_LT(l1(host_values(solution.result.barycenter), expected), 1e-7) << penalty;
  }
}

TEST(EntropyBoundedBarycenter, TakesItsBoundFromMeasuresThatCount) {
  const std::vector<Values> measures{gaussian(-1.0, 0.5), gaussian(0.5, 4.0)};
  const auto solution = solve_alone(settings_for(1.0, 1e-8), line, measures, {1.0, 0.0});
  EXPECT_NEAR(solution.result.entropy.bound, entropy_of(measures[0]), 1e-12);
}

TEST(EntropyBoundedBarycenter, SharperThanOnePointIsRefused) {
  BarycenterSettings settings = settings_for(1.0, 1e-8);
  settings.entropy_bound = -5.0;
  EXPECT_THROW(solve_alone(settings, line, {gaussian(0.0, 1.0)}, {1.0}), InputError);
}

/// Divided over measures or rows: the same sweeps, potentials and exponent as on one rank.
TEST(EntropyBoundedBarycenterOnRanks, IsThatOfOneRank) {
  const ThreeBumps bumps(false, 60);
  const Communicator& world = Communicator::world();
  BarycenterSettings settings = settings_for(2.0, 1e-7);
  settings.penalty = "kl:5";
  const auto single = solve_alone(settings, bumps.grid, bumps.measures, bumps.lambda);
  EXPECT_EQ(single.outcome.reason, StopReason::converged);
  EXPECT_GT(single.result.entropy.exponent, 1.1);
  for (const ProcessGridShape shape : {ProcessGridShape{1, world.size()}, ProcessGridShape{world.size(), 1}}) {
    const ProcessGrid processes(world, shape);
    const Range own = Partition(3, 1, shape.batches).block(processes.along_batches().rank());
    const auto together = solve_barycenter(processes, settings, bumps.grid,
                                           {bumps.measures.begin() + own.begin, bumps.measures.begin() + own.end},
                                           {bumps.lambda.begin() + own.begin, bumps.lambda.begin() + own.end}, {});
    EXPECT_EQ(together.outcome.iterations, single.outcome.iterations);
    EXPECT_NEAR(together.result.entropy.exponent, single.result.entropy.exponent, 1e-12);
    EXPECT_NEAR(together.result.mass, single.result.mass, 1e-12);
    const std::vector<Real> map = processes.along_rows().gather(host_values(together.result.barycenter));
    const std::vector<Real> alone = host_values(single.result.barycenter);
    if (processes.along_rows().rank() != 0) continue;
    ASSERT_EQ(map.size(), alone.size());
    for (std::size_t i = 0; i < map.size(); ++i) EXPECT_NEAR(map[i], alone[i], 1e-14) << i;
  }
}

}  // namespace
}  // namespace hpot
