// Barycenters of measures of different masses, against plain loops and the identities of METHODS 6: bounds on the mass,
// the optimum's balance of costs, and the shift of potentials.
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

struct ThreeBumps {
  Grid grid = make_grid({40}, {0.25});
  Values lambda{0.5, 0.2, 0.3};
  std::vector<Values> measures;

  explicit ThreeBumps(Index n = 40) : grid(make_grid({n}, {10.0 / static_cast<Real>(n)})) {
    const Values centers{3.0, 5.0, 6.5}, masses{0.4, 1.0, 2.5};
    for (int k = 0; k < 3; ++k) {
      Values b(n);
      for (Index j = 0; j < n; ++j) {
        const Real x = (static_cast<Real>(j) + 0.5) * 10.0 / static_cast<Real>(n) - centers[k];
        b[j] = std::exp(-x * x);
      }
      measures.push_back(test::scaled_to_mass(b, masses[k]));
    }
    measures[1][0] = 0.0;
  }
  [[nodiscard]] Real geometric_mass() const {
    Real log_mass = 0.0;
    for (int k = 0; k < 3; ++k)
      log_mass += lambda[k] * std::log(std::accumulate(measures[k].begin(), measures[k].end(), 0.0));
    return std::exp(log_mass);
  }
};

BarycenterSettings settings_for(const std::string& penalty, Real epsilon, Real tolerance, bool debiased = false) {
  BarycenterSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {epsilon, "cost"};
  settings.stopping = {tolerance, 20000, infinity};
  settings.debiased = debiased;
  settings.penalty = penalty;
  return settings;
}

BarycenterSolution solve_alone(const BarycenterSettings& settings, const ThreeBumps& bumps) {
  return solve_barycenter(ProcessGrid(test::alone(), {1, 1}), settings, bumps.grid, bumps.measures, bumps.lambda, {});
}

/// g_k = prox(softmin(log q + f_k/eps)).
Values data_side(const std::vector<Values>& cost, const Values& f, Real epsilon, const MarginalPenalty& penalty) {
  const auto n = static_cast<Real>(f.size());
  Values h;
  for (const Real value : f) h.push_back(-std::log(n) + value / epsilon);
  Values g = reference::softmin(cost, h, epsilon);
  for (Real& value : g) value = std::visit([&](const auto& p) { return p.prox(value, epsilon); }, penalty);
  return g;
}

/// mu by plain sweeps of the equations that barycenter_problem.hpp opens with.
Values by_plain_loops(const ThreeBumps& bumps, const MarginalPenalty& penalty, Real epsilon, int sweeps) {
  const std::size_t n = bumps.measures[0].size();
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, bumps.grid, bumps.grid);
  std::vector<Values> f(3, Values(n, 0.0));
  Values log_ratio;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    log_ratio.assign(n, 0.0);
    for (int k = 0; k < 3; ++k) {
      Values h = data_side(cost, f[k], epsilon, penalty);
      for (std::size_t j = 0; j < n; ++j) {
        const Real b = bumps.measures[k][j];
        h[j] = b > 0.0 ? std::log(b) + h[j] / epsilon : log_zero;
      }
      f[k] = reference::softmin(cost, h, epsilon);
      for (std::size_t i = 0; i < n; ++i) log_ratio[i] -= bumps.lambda[k] * f[k][i] / epsilon;
    }
    for (Values& potential : f) {
      for (std::size_t i = 0; i < n; ++i) potential[i] += epsilon * log_ratio[i];
    }
  }
  for (Real& value : log_ratio) value = std::exp(value) / static_cast<Real>(n);
  return log_ratio;
}

TEST(UnbalancedBarycenter, IsThatOfPlainLoopsUnderAnyPenalty) {
  const ThreeBumps bumps(24);
  for (const char* penalty : {"kl:2", "tv:1.5", "range:0.3,2.2"}) {
    const auto solution = solve_alone(settings_for(penalty, 3.0, 1e-10), bumps);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
    const Values expected = by_plain_loops(bumps, parse_penalty(penalty), 3.0, 300);
    EXPECT_LT(reference::largest_difference(host_values(solution.result.barycenter), expected), 1e-9) << penalty;
    EXPECT_NEAR(solution.result.mass, std::accumulate(expected.begin(), expected.end(), 0.0), 1e-8) << penalty;
  }
}

TEST(UnbalancedBarycenter, HasAMassBetweenTheBoundsOfKullbackLeibler) {
  const ThreeBumps bumps;
  for (const bool debiased : {false, true}) {
    for (const Real rho : {0.1, 1.0, 20.0, 1000.0}) {
      const auto solution =
          solve_alone(settings_for("kl:" + std::to_string(rho), 0.5, debiased ? 1e-5 : 1e-8, debiased), bumps);
      EXPECT_EQ(solution.outcome.reason, StopReason::converged) << rho;
      const Real most = bumps.geometric_mass();
      EXPECT_GT(solution.result.mass, most * std::exp(-9.75 * 9.75 / (rho + 0.5))) << rho;
      if (!debiased) EXPECT_LT(solution.result.mass, most) << rho;
      if (rho == 1000.0) EXPECT_NEAR(solution.result.mass, most, 0.02 * most);
    }
  }
}

/// sum_k lambda_k [<P_k,C> + eps sum P log(P/(q b)) + rho sum p log(p/b)] = 0 at the optimum.
TEST(UnbalancedBarycenter, BalancesItsCosts) {
  const ThreeBumps bumps;
  const Real epsilon = 0.7, rho = 3.0;
  const std::size_t n = bumps.measures[0].size();
  BarycenterData data{bumps.grid, bumps.measures, bumps.lambda};
  data.penalty = KullbackLeibler{rho};
  MultiscaleBarycenter problem({"separable", SquaredEuclidean{}}, data, ProcessGrid(test::alone(), {1, 1}), 1 << 20);
  FixedPointMap& map = problem.enter(0);
  map.set_epsilon(epsilon);
  for (int sweep = 0; sweep < 300; ++sweep) {
    map.evaluate();
    map.accept();
  }
  const Values all = host_values(map.state()[0]);
  const auto cost = reference::cost_matrix(SquaredEuclidean{}, bumps.grid, bumps.grid);
  const Values q(n, 1.0 / static_cast<Real>(n));
  Real sum = 0.0, size = 0.0;
  for (int k = 0; k < 3; ++k) {
    const Values& b = bumps.measures[k];
    const Values f(all.begin() + k * n, all.begin() + (k + 1) * n);
    const Values g = data_side(cost, f, epsilon, data.penalty);
    const test::Plan plan(cost, q, b, f, g, epsilon);
    const Values p = plan.target_marginal();
    Real entropy = 0.0, of_data = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      if (p[j] > 0.0) of_data += p[j] * std::log(p[j] / b[j]);
      for (std::size_t i = 0; i < n; ++i) {
        const Real entry = plan.entry(i, j);
        if (entry > 0.0) entropy += entry * std::log(entry / (q[i] * b[j]));
      }
    }
    sum += bumps.lambda[k] * (plan.transport_cost() + epsilon * entropy + rho * of_data);
    size += bumps.lambda[k] * plan.transport_cost();
  }
  EXPECT_GT(size, 0.1);
  EXPECT_NEAR(sum, 0.0, 1e-9 * size);
}

/// Without the shift of potentials, at rho = 1000 eps, the error is still 0.1 after 3000 plain sweeps.
TEST(UnbalancedBarycenter, ConvergesAtAStiffPenalty) {
  const ThreeBumps bumps;
  BarycenterSettings settings = settings_for("kl:1000", 1.0, 1e-7);
  settings.acceleration.type = "none";
  settings.schedule = {.factor = 1.0, .multiscale = false};
  settings.stopping.max_iterations = 2000;
  EXPECT_EQ(solve_alone(settings, bumps).outcome.reason, StopReason::converged);
}

TEST(UnbalancedBarycenter, HasAMassThatDoesNotDependOnTheResolution) {
  const Real coarse = solve_alone(settings_for("kl:2", 1.0, 1e-8), ThreeBumps(40)).result.mass;
  const Real fine = solve_alone(settings_for("kl:2", 1.0, 1e-8), ThreeBumps(160)).result.mass;
  EXPECT_NEAR(fine, coarse, 0.01 * coarse);
}

TEST(UnbalancedBarycenter, HasErrorsRelativeToItsMassWithWhatWindowsLeaveOut) {
  ThreeBumps bumps;
  for (Values& measure : bumps.measures) {
    for (Real& weight : measure) weight *= 1e6;
  }
  BarycenterSettings settings = settings_for("kl:2", 1.0, 1e-7);
  settings.kernel.window_cut = 1e-5;
  const auto solution = solve_alone(settings, bumps);
  EXPECT_EQ(solution.outcome.reason, StopReason::converged);
  for (const Real error : solution.result.errors.marginal) {
    EXPECT_GT(error, 1.9e-5);
    EXPECT_LT(error, 3e-5);
  }
}

TEST(UnbalancedBarycenter, OfRangesOfMassThatExcludeOneAnotherIsRefused) {
  const auto refused = [](const std::string& penalty, const std::vector<Real>& masses) {
    try {
      settings_for(penalty, 1.0, 1e-6).check_masses(masses);
      return false;
    } catch (const InputError&) {
      return true;
    }
  };
  EXPECT_TRUE(refused("range:0.5,1.5", {1.0, 4.0}));
  EXPECT_FALSE(refused("range:0.5,2", {1.0, 4.0}));
  EXPECT_FALSE(refused("kl:1", {1.0, 400.0}));
}

/// Measures divided over ranks: the same sweeps, potentials and, to rounding, the same result as on one rank.
TEST(UnbalancedBarycenterOnRanks, IsThatOfOneRank) {
  const ThreeBumps bumps;
  const Communicator& world = Communicator::world();
  const BarycenterSettings settings = settings_for("kl:50", 0.5, 1e-6);
  const auto single = solve_alone(settings, bumps);
  for (const ProcessGridShape shape : {ProcessGridShape{1, world.size()}, ProcessGridShape{world.size(), 1}}) {
    const ProcessGrid processes(world, shape);
    const Range own = Partition(3, 1, shape.batches).block(processes.along_batches().rank());
    const auto together = solve_barycenter(processes, settings, bumps.grid,
                                           {bumps.measures.begin() + own.begin, bumps.measures.begin() + own.end},
                                           {bumps.lambda.begin() + own.begin, bumps.lambda.begin() + own.end}, {});
    EXPECT_EQ(together.outcome.iterations, single.outcome.iterations);
    EXPECT_EQ(together.outcome.error, single.outcome.error);
    EXPECT_NEAR(together.result.mass, single.result.mass, 1e-12);
    EXPECT_EQ(together.result.errors.marginal, single.result.errors.marginal);
  }
}

}  // namespace
}  // namespace hpot
