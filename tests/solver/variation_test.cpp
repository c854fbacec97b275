// Barycenters smoothed by total variation. On a line the conditions of the optimum determine the dual field w from the map alone,
// as sums of potentials, which plain loops find; in two dimensions plain loops with constant steps find the whole barycenter.
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;
using Costs = std::vector<Values>;

enum class Method { plain, debiased, entropy_bounded };

BarycenterSettings settings_for(Method method, Real epsilon, Real tau, Real tolerance) {
  BarycenterSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {epsilon, "cost"};
  settings.stopping = {tolerance, 20000, infinity};
  settings.debiased = method == Method::debiased;
  settings.entropy_bounded = method == Method::entropy_bounded;
  settings.variation = tau;
  return settings;
}

BarycenterSolution solve_alone(const BarycenterSettings& settings, const Grid& grid,
                               const std::vector<Values>& measures, const Values& lambda) {
  return solve_barycenter(ProcessGrid(test::alone(), {1, 1}), settings, grid, measures, lambda, {});
}

Real l1(const Values& x, const Values& y) {
  Real sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - y[i]);
  return sum;
}

struct Line {
  Grid grid = make_grid({16}, {1.0});
  Values lambda{0.6, 0.4};
  std::vector<Values> measures;
  Costs cost = reference::cost_matrix(SquaredEuclidean{}, grid, grid);

  Line() {
    for (const Real center : {4.0, 10.5}) {
      Values b(16);
      for (int j = 0; j < 16; ++j) b[j] = std::exp(-0.3 * (j - center) * (j - center)) + (j % 4 == 1 ? 0.1 : 0.0);
      measures.push_back(test::scaled_to_mass(b, 1.0));
    }
  }
};

/// f of the transport of mu, relative to the uniform q, to b.
Values potential(const Costs& cost, const Values& mu, const Values& b, Real epsilon) {
  const std::size_t n = mu.size();
  Values f(n, 0.0), h(n);
  for (int sweep = 0; sweep < 2000; ++sweep) {
    for (std::size_t i = 0; i < n; ++i) h[i] = -std::log(static_cast<Real>(n)) + f[i] / epsilon;
    const Values g = reference::softmin(cost, h, epsilon);
    for (std::size_t j = 0; j < n; ++j) h[j] = std::log(b[j]) + g[j] / epsilon;
    f = reference::softmin(cost, h, epsilon);
    for (std::size_t i = 0; i < n; ++i) f[i] += epsilon * std::log(mu[i] * static_cast<Real>(n));
  }
  return f;
}

/// eps d with q e^d K(q e^d) = mu.
Values self_potential(const Costs& cost, const Values& mu, Real epsilon) {
  const std::size_t n = mu.size();
  Values d(n, 0.0), h(n);
  for (int sweep = 0; sweep < 2000; ++sweep) {
    for (std::size_t i = 0; i < n; ++i) h[i] = -std::log(static_cast<Real>(n)) + d[i];
    const Values s = reference::softmin(cost, h, epsilon);
    for (std::size_t i = 0; i < n; ++i) d[i] = 0.5 * (d[i] + std::log(mu[i] * static_cast<Real>(n)) + s[i] / epsilon);
  }
  for (Real& value : d) value *= epsilon;
  return d;
}

/// w_i, from (grad'w)_i = -(the derivative of the other terms at i, less its mean).
Values dual_field(const Values& derivative) {
  const Real mean = std::accumulate(derivative.begin(), derivative.end(), 0.0) / static_cast<Real>(derivative.size());
  Values w(derivative.size() - 1);
  Real sum = 0.0;
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = sum += derivative[i] - mean;
  return w;
}

TEST(VariationBarycenter, MeetsTheConditionsOfTheOptimumOnALine) {
  const Line line;
  const Real epsilon = 2.0;
  for (const Method method : {Method::plain, Method::debiased, Method::entropy_bounded}) {
    for (const Real tau : {2.0, 8.0}) {
      const std::string name = std::to_string(static_cast<int>(method)) + ", tau " + std::to_string(tau);
      BarycenterSettings settings = settings_for(method, epsilon, tau, 1e-7);
      if (method == Method::entropy_bounded) settings.entropy_bound = tau == 2.0 ? -0.65 : -0.5;
      const auto solution = solve_alone(settings, line.grid, line.measures, line.lambda);
      EXPECT_EQ(solution.outcome.reason, StopReason::converged) << name;
      const Values mu = host_values(solution.result.barycenter);
      EXPECT_NEAR(std::accumulate(mu.begin(), mu.end(), 0.0), 1.0, 1e-13) << name;
      Values derivative(16, 0.0);
      for (int k = 0; k < 2; ++k) {
        const Values f = potential(line.cost, mu, line.measures[k], epsilon);
        for (int i = 0; i < 16; ++i) derivative[i] += line.lambda[k] * f[i];
      }
      if (method == Method::debiased) {
        const Values own = self_potential(line.cost, mu, epsilon);
        for (int i = 0; i < 16; ++i) derivative[i] -= own[i];
      }
      if (method == Method::entropy_bounded) {
        EXPECT_GT(solution.result.entropy.exponent, 1.01) << name;
        const Real gamma = epsilon * (1.0 - 1.0 / solution.result.entropy.exponent);
        for (int i = 0; i < 16; ++i) derivative[i] -= gamma * std::log(mu[i]);
      }
      const Values w = dual_field(derivative);
      int flat = 0;
      Real variation = 0.0;
      for (int i = 0; i < 15; ++i) {
        const Real step = mu[i + 1] - mu[i];
        variation += std::abs(step);
        EXPECT_LT(std::abs(w[i]), tau * (1.0 + 1e-4)) << name << ", " << i;
        if (std::abs(step) > 1e-4) EXPECT_NEAR(w[i], step > 0.0 ? tau : -tau, 1e-3 * tau) << name << ", " << i;
        if (std::abs(step) < 1e-5) ++flat;
      }
      EXPECT_GE(flat, 2) << name;
      EXPECT_LT(flat, 15) << name;
      EXPECT_NEAR(variation, solution.result.variation.total, 1e-6) << name;
    }
  }
}

TEST(VariationBarycenter, TendsToThePlainOneAndToAConstant) {
  const Line line;
  const auto plain = solve_alone(settings_for(Method::plain, 2.0, 0.0, 1e-9), line.grid, line.measures, line.lambda);
  const auto near = solve_alone(settings_for(Method::plain, 2.0, 1e-8, 1e-8), line.grid, line.measures, line.lambda);
  EXPECT_LT(l1(host_values(plain.result.barycenter), host_values(near.result.barycenter)), 1e-6);
  EXPECT_EQ(plain.result.variation.total, 0.0);
  EXPECT_GT(near.result.variation.total, 0.1);
  const auto far = solve_alone(settings_for(Method::plain, 2.0, 200.0, 1e-5), line.grid, line.measures, line.lambda);
  EXPECT_EQ(far.outcome.reason, StopReason::converged);
  EXPECT_LT(l1(host_values(far.result.barycenter), Values(16, 1.0 / 16.0)), 1e-6);
}

/// mu by plain sweeps, with the prox by ascent in w of constant steps, below those of the largest second derivative.
Values by_plain_loops(const Grid& grid, const std::vector<Values>& measures, const Values& lambda, Real epsilon,
                      Real tau, const MarginalPenalty& penalty, int sweeps, int steps) {
  const Index ny = grid.axes[0].n, nx = grid.axes[1].n;
  const std::size_t n = measures[0].size();
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, grid, grid);
  const Real unit = std::min(grid.axes[0].spacing, grid.axes[1].spacing);
  const Real sy = unit / grid.axes[0].spacing, sx = unit / grid.axes[1].spacing;
  std::vector<Values> f(measures.size(), Values(n, 0.0));
  Values wy(n, 0.0), wx(n, 0.0), mu(n), base(n);
  const auto make_mu = [&] {
    for (Index i = 0; i < static_cast<Index>(n); ++i) {
      Real sum = 0.0;
      if (i >= nx) sum += sy * wy[i - nx];
      if (i / nx + 1 < ny) sum -= sy * wy[i];
      if (i % nx > 0) sum += sx * wx[i - 1];
      if (i % nx + 1 < nx) sum -= sx * wx[i];
      mu[i] = std::exp(base[i] - sum / epsilon) / static_cast<Real>(n);
    }
  };
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    base.assign(n, 0.0);
    for (std::size_t k = 0; k < measures.size(); ++k) {
      Values h;
      for (const Real value : f[k]) h.push_back(-std::log(static_cast<Real>(n)) + value / epsilon);
      Values g = reference::softmin(cost, h, epsilon);
      for (Real& value : g) value = std::visit([&](const auto& p) { return p.prox(value, epsilon); }, penalty);
      for (std::size_t j = 0; j < n; ++j)
        h[j] = measures[k][j] > 0.0 ? std::log(measures[k][j]) + g[j] / epsilon : log_zero;
      f[k] = reference::softmin(cost, h, epsilon);
      for (std::size_t i = 0; i < n; ++i) base[i] -= lambda[k] * f[k][i] / epsilon;
    }
    make_mu();
    for (int step = 0; step < steps; ++step) {
      const Real size = epsilon / (8.0 * *std::max_element(mu.begin(), mu.end()));
      for (Index i = 0; i < static_cast<Index>(n); ++i) {
        if (i / nx + 1 < ny) wy[i] += size * sy * (mu[i + nx] - mu[i]);
        if (i % nx + 1 < nx) wx[i] += size * sx * (mu[i + 1] - mu[i]);
        const Real norm = std::hypot(wy[i], wx[i]);
        if (norm > tau) {
          wy[i] *= tau / norm;
          wx[i] *= tau / norm;
        }
      }
      make_mu();
    }
    for (Values& potential : f) {
      for (std::size_t i = 0; i < n; ++i) potential[i] += epsilon * std::log(mu[i] * static_cast<Real>(n));
    }
  }
  return mu;
}

TEST(VariationBarycenter, IsThatOfPlainLoopsOnAnImageUnderAnyPenalty) {
  const Grid grid = make_grid({6, 5}, {1.0, 1.5});
  const Values lambda{0.3, 0.7};
  for (const char* penalty : {"balanced", "kl:4", "tv:6"}) {
    const bool balanced = std::string(penalty) == "balanced";
    const std::vector<Values> measures = {test::scaled_to_mass(test::random_measure(30, 1, 0.3), 1.0),
                                          test::scaled_to_mass(test::random_measure(30, 2, 0.3), balanced ? 1.0 : 1.7)};
    BarycenterSettings settings = settings_for(Method::plain, 4.0, 3.0, 1e-7);
    settings.penalty = penalty;
    settings.schedule.multiscale = false;
    const auto solution = solve_alone(settings, grid, measures, lambda);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
    EXPECT_LT(solution.result.errors.variation, 1e-7) << penalty;
    const Values expected = by_plain_loops(grid, measures, lambda, 4.0, 3.0, parse_penalty(penalty), 150, 400);
    EXPECT_LT(l1(host_values(solution.result.barycenter), expected), 1e-6) << penalty;
  }
}

TEST(VariationBarycenter, OfAVolumeIsCarriedOverLevels) {
  const Grid grid = make_grid({12, 10, 11}, {1.0, 1.0, 2.0});
  const Index n = 12 * 10 * 11;
  const std::vector<Values> measures = {test::random_measure(n, 3, 0.5), test::random_measure(n, 4, 0.5)};
  BarycenterSettings settings = settings_for(Method::plain, 4.0, 4.0, 1e-3);
  const auto leveled = solve_alone(settings, grid, measures, {0.5, 0.5});
  settings.schedule = {.factor = 1.0, .multiscale = false};
  const auto direct = solve_alone(settings, grid, measures, {0.5, 0.5});
  EXPECT_EQ(leveled.outcome.reason, StopReason::converged);
  EXPECT_EQ(direct.outcome.reason, StopReason::converged);
  EXPECT_LT(l1(host_values(leveled.result.barycenter), host_values(direct.result.barycenter)), 3e-3);
}

TEST(VariationBarycenterOnRanks, IsThatOfOneRankWhereMeasuresAreDivided) {
  const Line line;
  const Communicator& world = Communicator::world();
  const BarycenterSettings settings = settings_for(Method::debiased, 2.0, 4.0, 1e-5);
  const auto single = solve_alone(settings, line.grid, line.measures, line.lambda);
  const ProcessGrid processes(world, {1, world.size()});
  const Range own = Partition(2, 1, world.size()).block(processes.along_batches().rank());
  const auto together = solve_barycenter(processes, settings, line.grid,
                                         {line.measures.begin() + own.begin, line.measures.begin() + own.end},
                                         {line.lambda.begin() + own.begin, line.lambda.begin() + own.end}, {});
  EXPECT_EQ(together.outcome.iterations, single.outcome.iterations);
  EXPECT_LT(l1(host_values(together.result.barycenter), host_values(single.result.barycenter)), 1e-12);
}

void expect_same_over_slabs(const Grid& grid, const BarycenterSettings& settings, const std::string& name) {
  const bool balanced = settings.all_balanced();
  std::vector<Values> measures;
  for (const unsigned seed : {5U, 6U, 7U})
    measures.push_back(test::scaled_to_mass(test::random_measure(grid.points(), seed, 0.3), balanced ? 1.0 : seed));
  const Values lambda{0.2, 0.5, 0.3};
  const auto single = solve_alone(settings, grid, measures, lambda);
  const Communicator& world = Communicator::world();
  const auto together = solve_barycenter(ProcessGrid(world, {world.size(), 1}), settings, grid, measures, lambda, {});
  EXPECT_GT(single.result.variation.total, 0.0) << name;
  EXPECT_EQ(together.outcome.iterations, single.outcome.iterations) << name;
  EXPECT_EQ(together.outcome.error, single.outcome.error) << name;
  EXPECT_EQ(together.result.variation.total, single.result.variation.total) << name;
  EXPECT_EQ(together.result.variation.gap, single.result.variation.gap) << name;
  EXPECT_EQ(host_values(together.result.barycenter), owned_values(host_values(single.result.barycenter), together.rows))
      << name;
}

TEST(VariationBarycenterOnRanks, HasTheBitsOfOneRankOverSlabs) {
  BarycenterSettings debiased = settings_for(Method::debiased, 2.0, 4.0, 1e-4);
  BarycenterSettings bounded = settings_for(Method::entropy_bounded, 2.0, 4.0, 1e-4);
  BarycenterSettings unbalanced = settings_for(Method::plain, 2.0, 4.0, 1e-4);
  unbalanced.penalty = "kl:8";
  for (BarycenterSettings* settings : {&debiased, &bounded, &unbalanced}) settings->stopping.max_iterations = 30;
  expect_same_over_slabs(make_grid({150}, {1.0}), debiased, "line");
  expect_same_over_slabs(make_grid({23, 18}, {1.0, 1.5}), unbalanced, "image of wide columns");
  expect_same_over_slabs(make_grid({26, 18}, {1.0, 1.0}), bounded, "image");
  expect_same_over_slabs(make_grid({12, 7, 6}, {1.5, 1.0, 1.0}), debiased, "volume of thick planes");
  unbalanced.debiased = true;
  expect_same_over_slabs(make_grid({36, 7, 6}, {1.0, 1.0, 1.5}), unbalanced, "volume with levels");
  expect_same_over_slabs(make_grid({2, 25}, {1.0, 1.0}), debiased, "fewer rows than a tile's");
  expect_same_over_slabs(make_grid({2, 5, 6}, {1.0, 1.0, 1.0}), debiased, "two planes");
  expect_same_over_slabs(make_grid({1, 5, 6}, {1.0, 1.0, 1.0}), debiased, "one plane");
}

}  // namespace
}  // namespace hpot
