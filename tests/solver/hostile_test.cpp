// Numbers that break solvers. Floating-point traps are on: a NaN anywhere ends the test.
#include "hpot/measure/measure.hpp"
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

const std::vector<std::string>& penalties() {
  static const std::vector<std::string> all = {"balanced", "kl:2", "tv:2", "range:0.5,2"};
  return all;
}

void expect_finite(const TransportSolution& solution, const std::string& what) {
  for (const Field& field : {solution.f, solution.g}) {
    for (const Real value : host_values(field)) EXPECT_TRUE(std::isfinite(value)) << what;
  }
  const TransportValues& v = solution.values;
  for (const Real value : {v.residual_source, v.residual_target, v.plan_mass, v.transport_cost, v.dual_cost}) {
    EXPECT_TRUE(std::isfinite(value)) << what;
  }
}

TEST(Hostile, NearlyAllCellsEmptyAndATinyEpsilonStillConverge) {
  const Grid grid = make_grid({20, 24}, {1.0, 1.0});
  const Values a = test::random_measure(480, 1, 0.95);
  const Values b = test::random_measure(480, 2, 0.95);
  for (const std::string penalty : {"balanced", "kl:2", "range:0.5,2"}) {
    const auto solution = test::solve_alone(test::transport_settings(0.1, 1e-6, penalty), grid, a, b);
    expect_finite(solution, penalty);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
    EXPECT_LE(solution.values.residual_target, 1e-6 * (1.0 + 1e-6)) << penalty;
  }
}

TEST(Hostile, MassesAtTheEndsOfDoubleAreNormalised) {
  const Grid grid = make_grid({6, 6}, {1.0, 1.0});
  const Values a = test::random_measure(36, 3, 0.3);
  const Values b = test::random_measure(36, 4, 0.3);
  const auto settings = test::transport_settings(0.5, 1e-9);
  const auto plain = test::solve_alone(settings, grid, a, b);
  for (const Real scale : {1e-300, 1e300}) {
    Values scaled = a;
    for (Real& weight : scaled) weight *= scale;
    const Measure measure = make_measure(GridData{grid, scaled, "scaled"}, NegativeValues::error, true);
    const auto solution = test::solve_alone(settings, grid, measure.weights, b);
    EXPECT_NEAR(solution.values.dual_cost, plain.values.dual_cost, 1e-8);
  }
}

TEST(Hostile, WeightsOfVeryDifferentSizeAreSolved) {
  const Grid line = make_grid({16}, {1.0});
  Values a(16, 1e-250);
  Values b(16, 1e-300);
  a[3] = 1.0;
  b[12] = 1.0;
  for (const std::string& penalty : penalties()) {
    const auto solution = test::solve_alone(test::transport_settings(1.0, 1e-9, penalty), line, a, b);
    expect_finite(solution, penalty);
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << penalty;
  }
}

TEST(Hostile, UnnormalisedMassesFarFromOneAreSolved) {
  const Grid line = make_grid({16}, {1.0});
  for (const Real mass : {1e-300, 1e-150, 1e-20, 1e20, 1e100, 1e150}) {
    const Values a = test::scaled_to_mass(test::random_measure(16, 5), mass);
    const Values b = test::scaled_to_mass(test::random_measure(16, 6), mass);
    const auto solution = test::solve_alone(test::transport_settings(1.0, 1e-8), line, a, b);
    expect_finite(solution, "balanced");
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_NEAR(solution.values.plan_mass / mass, 1.0, 1e-8);
  }
}

TEST(Hostile, OneVoxelAndSingleLinesAreGridsLikeOthers) {
  for (const std::string& penalty : penalties()) {
    const auto settings = test::transport_settings(0.5, 1e-10, penalty);
    const auto voxel = test::solve_alone(settings, make_grid({1, 1, 1}, {2.0, 2.0, 2.0}), {1.0}, {1.0});
    EXPECT_EQ(voxel.outcome.reason, StopReason::converged) << penalty;
    EXPECT_NEAR(voxel.values.dual_cost, 0.0, 1e-12) << penalty;
    EXPECT_NEAR(voxel.values.plan_mass, 1.0, 1e-10) << penalty;
    const Values a = test::random_measure(30, 7, 0.5);
    const Values b = test::random_measure(30, 8, 0.5);
    const auto line = test::solve_alone(settings, make_grid({30}, {1.0}), a, b);
    EXPECT_EQ(line.outcome.reason, StopReason::converged) << penalty;
    for (const Grid& flat :
         {make_grid({1, 30}, {1.0, 1.0}), make_grid({30, 1}, {1.0, 1.0}), make_grid({1, 30, 1}, {1.0, 1.0, 1.0})}) {
      const auto solution = test::solve_alone(settings, flat, a, b);
      EXPECT_NEAR(solution.values.dual_cost, line.values.dual_cost, 1e-8) << penalty << ' ' << flat.describe();
    }
  }
}

TEST(Hostile, BarycentersOfOneVoxelLinesAndSinglePointsAreRight) {
  for (const bool debiased : {false, true}) {
    BarycenterSettings settings;
    settings.kernel.type = "separable";
    settings.epsilon = {0.5, "cost"};
    settings.stopping = {1e-6, 3000, infinity};
    settings.debiased = debiased;
    const ProcessGrid processes(test::alone(), {1, 1});
    const auto voxel =
        solve_barycenter(processes, settings, make_grid({1, 1, 1}, {1.0, 1.0, 1.0}), {{1.0}, {1.0}}, {0.5, 0.5}, {});
    EXPECT_NEAR(host_values(voxel.result.barycenter)[0], 1.0, 1e-14);
    Values left(21, 0.0);
    Values right(21, 0.0);
    left[4] = 1.0;
    right[16] = 1.0;
    const auto line =
        solve_barycenter(processes, settings, make_grid({1, 21}, {1.0, 1.0}), {left, right}, {0.5, 0.5}, {});
    const Values mu = host_values(line.result.barycenter);
    EXPECT_NEAR(std::accumulate(mu.begin(), mu.end(), 0.0), 1.0, 1e-12);
    EXPECT_EQ(std::max_element(mu.begin(), mu.end()) - mu.begin(), 10);
    for (const Real value : mu) EXPECT_GE(value, 0.0);
  }
}

TEST(Stopping, TooFewSweepsAreReportedAndStillGiveValues) {
  const Grid grid = make_grid({40, 40}, {1.0, 1.0});
  const Values a = test::random_measure(1600, 9, 0.5);
  const Values b = test::random_measure(1600, 10, 0.5);
  TransportSettings settings = test::transport_settings(0.5, 1e-10);
  for (const Index sweeps : {1, 5, 20}) {
    settings.stopping.max_iterations = sweeps;
    const auto solution = test::solve_alone(settings, grid, a, b);
    EXPECT_EQ(solution.outcome.reason, StopReason::max_iterations);
    EXPECT_GE(solution.outcome.iterations, sweeps);
    EXPECT_GE(solution.values.primal_cost, solution.values.dual_cost);
    EXPECT_EQ(host_values(solution.f).size(), 1600U) << "potentials live on the given grid";
    expect_finite(solution, "stopped");
    EXPECT_NE(advice(solution.outcome, settings.stopping, 0.5, solution.values.error_floor).find("max_iterations"),
              std::string::npos);
  }
}

TEST(Stopping, TimeLimitEndsTheSolve) {
  const Grid grid = make_grid({40, 40}, {1.0, 1.0});
  TransportSettings settings = test::transport_settings(0.25, 1e-12);
  settings.stopping.time_limit = 1e-9;
  const auto solution =
      test::solve_alone(settings, grid, test::random_measure(1600, 9, 0.5), test::random_measure(1600, 10, 0.5));
  EXPECT_EQ(solution.outcome.reason, StopReason::time_limit);
  EXPECT_EQ(exit_code(solution.outcome.reason), ExitCode::interrupted);
}

TEST(Schedule, NoneSolvesTheTargetFromTheStart) {
  const Grid grid = make_grid({12, 12}, {1.0, 1.0});
  const Values a = test::random_measure(144, 11, 0.3);
  const Values b = test::random_measure(144, 12, 0.3);
  TransportSettings settings = test::transport_settings(1.0, 1e-9);
  const auto scheduled = test::solve_alone(settings, grid, a, b);
  settings.schedule.factor = 1.0;
  settings.schedule.multiscale = false;
  settings.acceleration.type = "none";
  const auto direct = test::solve_alone(settings, grid, a, b);
  EXPECT_EQ(direct.outcome.reason, StopReason::converged);
  EXPECT_NEAR(direct.values.dual_cost, scheduled.values.dual_cost, 1e-7);
}

TEST(CheckMasses, UnequalMassesAreRefusedOnlyWhereNoPlanExists) {
  TransportSettings settings;
  EXPECT_NO_THROW(settings.check_masses(2.0, 2.0));
  EXPECT_THROW(settings.check_masses(1.0, 2.0), InputError);
  settings.source_penalty = "kl:1";
  EXPECT_NO_THROW(settings.check_masses(1.0, 2.0));
  settings.source_penalty = "range:0.5,1.5";
  EXPECT_THROW(settings.check_masses(1.0, 2.0), InputError);
  EXPECT_NO_THROW(settings.check_masses(1.0, 1.4));
}

}  // namespace
}  // namespace hpot
