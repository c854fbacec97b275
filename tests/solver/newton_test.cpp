// Newton steps: they reach what rounding allows with fewer products than mixing, agree with plain Sinkhorn, and where they
// cannot help sweeps do.
#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hpot {
namespace {

using test::Values;

Values waves(Index n, Index item) {
  return test::scaled_to_mass(
      synthetic_measure("waves?n=" + std::to_string(n) + "&item=" + std::to_string(item), item).values, 1.0);
}

const Grid& image() {
  static const Grid grid = make_grid({32, 32}, {1.0, 1.0});
  return grid;
}

TransportSettings settings_of(const std::string& finish, Real tolerance, const std::string& source = "balanced",
                              const std::string& target = "balanced") {
  TransportSettings settings = test::transport_settings(0.25, tolerance, source);
  settings.target_penalty = target;
  settings.finish.finish = finish;
  return settings;
}

/// The largest difference of two potentials over weights > 0, up to the constant that balanced plans leave open.
Real distance(const TransportSolution& one, const TransportSolution& other, const Values& b) {
  const Values x = host_values(one.g);
  const Values y = host_values(other.g);
  Real low = infinity;
  Real high = -infinity;
  for (std::size_t j = 0; j < b.size(); ++j) {
    if (b[j] <= 0.0) continue;
    low = std::min(low, x[j] - y[j]);
    high = std::max(high, x[j] - y[j]);
  }
  return high - low;
}

TEST(Newton, ReachesTheErrorFloorAndThePotentialsOfMixing) {
  for (const auto& [source, target] :
       {std::pair{"balanced", "balanced"}, {"kl:50", "kl:50"}, {"balanced", "kl:20"}, {"kl:2000", "kl:4000"}}) {
    const auto newton =
        test::solve_alone(settings_of("newton", 1e-12, source, target), image(), waves(32, 0), waves(32, 1));
    const auto mixed =
        test::solve_alone(settings_of("none", 1e-12, source, target), image(), waves(32, 0), waves(32, 1));
    EXPECT_EQ(newton.outcome.reason, StopReason::converged) << source << " " << target;
    EXPECT_LE(newton.values.residual_target, 1e-12 + newton.values.error_floor);
    EXPECT_LT(newton.values.gap, 1e-9) << source << " " << target;
    EXPECT_LT(distance(newton, mixed, waves(32, 1)), 1e-7) << source << " " << target;
  }
}

/// At 64 x 64 a third of the sweeps to 1e-8; more gain on larger images.
TEST(Newton, TakesFewerSweepsThanMixingAndIsLeftOutWhereSweepsContract) {
  const Grid grid = make_grid({64, 64}, {1.0, 1.0});
  const auto sweeps = [&](const std::string& finish, const std::string& penalty) {
    const auto solution =
        test::solve_alone(settings_of(finish, 1e-8, penalty, penalty), grid, waves(64, 0), waves(64, 1));
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << finish << " " << penalty;
    return solution.outcome.iterations;
  };
  EXPECT_LT(3 * sweeps("auto", "balanced"), sweeps("none", "balanced"));
  EXPECT_EQ(sweeps("auto", "kl:50"), sweeps("none", "kl:50"));
}

TEST(Newton, FindsThePotentialsOfPlainSinkhorn) {
  const Grid grid = make_grid({9, 11}, {1.0, 1.0});
  const Values a = test::random_measure(99, 3, 0.3);
  const Values b = test::random_measure(99, 4, 0.3);
  for (const auto& [source, target] : {std::pair{"balanced", "balanced"},
                                       {"kl:2", "kl:2"},
                                       {"kl:2", "balanced"},
                                       {"tv:1", "balanced"},
                                       {"range:0.8,1.3", "kl:2"}}) {
    TransportSettings settings = settings_of("newton", 1e-12, source, target);
    settings.epsilon.target = 1.0;
    settings.finish.below = 1e-2;
    const auto newton = test::solve_alone(settings, grid, a, b);
    settings.finish.finish = "none";
    settings.acceleration.type = "none";
    const auto plain = test::solve_alone(settings, grid, a, b);
    ASSERT_EQ(plain.outcome.reason, StopReason::converged) << source << " " << target;
    EXPECT_EQ(newton.outcome.reason, StopReason::converged) << source << " " << target;
    EXPECT_LT(distance(newton, plain, b), 1e-9) << source << " " << target;
    EXPECT_NEAR(newton.values.dual_cost, plain.values.dual_cost, 1e-11) << source << " " << target;
  }
}

TEST(Newton, LeavesTargetsWithKinksToSweeps) {
  const Grid grid = make_grid({9, 11}, {1.0, 1.0});
  const Values a = test::random_measure(99, 3, 0.3);
  const Values b = test::random_measure(99, 4, 0.3);
  for (const auto& [source, target] : {std::pair{"tv:1", "tv:1"}, {"balanced", "range:0.5,2"}, {"kl:1", "tv:2"}}) {
    TransportSettings settings = settings_of("newton", 1e-9, source, target);
    settings.epsilon.target = 1.0;
    const auto newton = test::solve_alone(settings, grid, a, b);
    settings.finish.finish = "none";
    const auto sweeps = test::solve_alone(settings, grid, a, b);
    EXPECT_EQ(newton.outcome.iterations, sweeps.outcome.iterations) << source << " " << target;
    EXPECT_EQ(host_values(newton.g), host_values(sweeps.g)) << source << " " << target;
  }
}

TEST(Newton, ConvergesFromAnyErrorAtWhichItMayBegin) {
  const Values a = waves(32, 2);
  const Values b = waves(32, 3);
  for (const Real below : {1.0, 1e-2}) {
    TransportSettings settings = settings_of("newton", 1e-10);
    settings.finish.below = below;
    const auto newton = test::solve_alone(settings, image(), a, b);
    EXPECT_EQ(newton.outcome.reason, StopReason::converged) << below;
    EXPECT_LE(newton.values.residual_target, 1e-10) << below;
    EXPECT_LT(newton.values.error_floor, 1e-11) << below;
    EXPECT_LT(newton.values.gap, 1e-6) << below;
  }
}

TEST(Newton, EndsWhereNoSmallerErrorCanBeReached) {
  // So far apart that the potentials are 1e6 eps and more.
  const Grid strip = make_grid({4, 1000}, {1.0, 1.0});
  const Values left = test::random_measure(80, 1, 0.2);
  const Values right = test::random_measure(80, 2, 0.2);
  Values a(4000, 0.0);
  Values b(4000, 0.0);
  for (Index k = 0; k < 80; ++k) {
    a[k / 20 * 1000 + k % 20] = left[k];
    b[k / 20 * 1000 + 980 + k % 20] = right[k];
  }
  TransportSettings settings = settings_of("newton", 1e-15);
  settings.stopping.max_iterations = 1500;
  const auto solution = test::solve_alone(settings, strip, a, b);
  EXPECT_NE(solution.outcome.reason, StopReason::diverged);
  EXPECT_LT(solution.outcome.iterations, 1800) << "a step ends after 200 products with the Hessian";
  EXPECT_GT(solution.values.error_floor, 1e-11);
  EXPECT_LT(solution.values.residual_target, 10.0 * solution.values.error_floor);
}

TEST(Newton, SolvesSupportsThatNoPlanConnects) {
  // Two islands of mass 1/2 each, so far apart that the plan between them underflows.
  const Grid line = make_grid({400}, {1.0});
  Values a(400, 0.0);
  Values b(400, 0.0);
  const Values left = test::scaled_to_mass(test::random_measure(40, 5, 0.2), 0.5);
  const Values right = test::scaled_to_mass(test::random_measure(40, 6, 0.2), 0.5);
  std::copy(left.begin(), left.end(), a.begin());
  std::copy(right.begin(), right.end(), b.begin() + 10);
  std::copy(right.begin(), right.end(), a.begin() + 360);
  std::copy(left.begin(), left.end(), b.begin() + 350);
  const auto newton = test::solve_alone(settings_of("newton", 1e-11), line, a, b);
  EXPECT_EQ(newton.outcome.reason, StopReason::converged);
  EXPECT_LE(newton.values.residual_target, 1e-11);
  EXPECT_LT(newton.values.gap, 2.0 * 1e-11 * 399.0 * 399.0)
      << "rounding moves the residual, at most by the largest cost";
}

TEST(Newton, TakesMassesOfAnySize) {
  const Grid grid = make_grid({9, 11}, {1.0, 1.0});
  for (const Real mass : {1e-300, 1e-9, 1e300}) {
    const Values a = test::scaled_to_mass(test::random_measure(99, 3, 0.3), mass);
    const Values b = test::scaled_to_mass(test::random_measure(99, 4, 0.3), mass);
    const auto newton = test::solve_alone(settings_of("newton", 1e-11), grid, a, b);
    EXPECT_EQ(newton.outcome.reason, StopReason::converged) << mass;
    EXPECT_LE(newton.values.residual_target, 1e-11) << mass;
  }
}

TEST(Newton, TakesTheSmallestGrids) {
  for (const std::vector<Index>& shape : {std::vector<Index>{1, 1}, {1, 2}, {3, 1}}) {
    const Grid grid = make_grid(shape, {1.0, 1.0});
    const Values a = test::random_measure(grid.points(), 1);
    const Values b = test::random_measure(grid.points(), 2);
    TransportSettings settings = settings_of("newton", 1e-13);
    settings.finish.below = 1.0;
    EXPECT_EQ(test::solve_alone(settings, grid, a, b).outcome.reason, StopReason::converged);
  }
}

TEST(Newton, WorksOnDenseOperatorsOfCostsThatDoNotSeparate) {
  const Grid grid = make_grid({12, 12}, {1.0, 1.0});
  const Values a = test::random_measure(144, 3, 0.3);
  const Values b = test::random_measure(144, 4, 0.3);
  TransportSettings settings = settings_of("newton", 1e-11);
  settings.kernel = {"dense", Euclidean{}};
  settings.epsilon.target = 0.1;
  const auto newton = test::solve_alone(settings, grid, a, b);
  settings.finish.finish = "none";
  const auto mixed = test::solve_alone(settings, grid, a, b);
  EXPECT_EQ(newton.outcome.reason, StopReason::converged);
  EXPECT_EQ(mixed.outcome.reason, StopReason::converged);
  EXPECT_LT(distance(newton, mixed, b), 1e-8);
}

TEST(NewtonOnRanks, HasTheBitsOfOneRank) {
  for (const auto& [shape, penalty] : {std::pair{std::vector<Index>{23, 18}, "balanced"}, {{9, 7, 6}, "kl:3"}}) {
    const Grid grid = make_grid(shape, std::vector<Real>(shape.size(), 1.0));
    const Values a = test::random_measure(grid.points(), 1, 0.4);
    const Values b = test::random_measure(grid.points(), 2, 0.4);
    const TransportSettings settings = settings_of("newton", 1e-11, penalty, penalty);
    const auto together = solve_transport(Communicator::world(), settings, {grid, grid, a, b}, {});
    const auto single = test::solve_alone(settings, grid, a, b);
    const Values whole = host_values(single.g);
    const Range range = together.target_rows.range();
    EXPECT_EQ(host_values(together.g), Values(whole.begin() + range.begin, whole.begin() + range.end)) << penalty;
    EXPECT_EQ(together.outcome.iterations, single.outcome.iterations) << penalty;
    EXPECT_EQ(together.outcome.error, single.outcome.error) << penalty;
    EXPECT_EQ(together.outcome.reason, StopReason::converged) << penalty;
  }
}

PointCloud heaps(Index n, Index item) {
  const std::string text = "points?dim=3&shape=clusters&n=" + std::to_string(n) + "&item=" + std::to_string(item);
  return in_morton_order(synthetic_cloud(text, item)).cloud;
}

TEST(Newton, FindsThePotentialsOfMixingInClouds) {
  const PointCloud source = heaps(400, 0), target = heaps(300, 1);
  for (const auto& [from, to] : {std::pair{"balanced", "balanced"}, {"kl:1", "kl:0.5"}, {"tv:0.3", "balanced"}}) {
    const Values a = test::random_measure(400, 1, 0.2), b = test::random_measure(300, 2, 0.2);
    const auto solved = [&](const std::string& finish) {
      TransportSettings settings = settings_of(finish, 1e-10, from, to);
      settings.kernel.type = "auto";
      settings.epsilon = {2e-3, "cost"};
      return solve_transport(test::alone(), settings, {source, target, a, b}, {});
    };
    const auto newton = solved("newton"), mixed = solved("none");
    EXPECT_EQ(newton.outcome.reason, StopReason::converged) << from;
    EXPECT_EQ(mixed.outcome.reason, StopReason::converged) << from;
    EXPECT_LT(distance(newton, mixed, b), 1e-7) << from;
    EXPECT_LT(newton.values.gap, 1e-9) << from;
  }
}

/// Points between two heaps of targets say how the heap that they are in is divided: there are few at a small eps, and sweeps
/// are slow. Above 256 entries a row sources are drawn.
TEST(Newton, TakesFewerSweepsThanMixingInHeapsFarApart) {
  const PointCloud source = heaps(1500, 0), target = heaps(1500, 1);
  const Values ones(1500, 1.0 / 1500.0);
  const auto sweeps = [&](const std::string& finish) {
    TransportSettings settings = settings_of(finish, 1e-6);
    settings.kernel.type = "auto";
    settings.precision = Precision::mixed;
    settings.epsilon = {9.0, "spacing2"};
    const auto solution = solve_transport(test::alone(), settings, {source, target, ones, ones}, {});
    EXPECT_EQ(solution.outcome.reason, StopReason::converged) << finish;
    return solution.outcome.iterations;
  };
  EXPECT_LT(2 * sweeps("newton"), sweeps("none"));
}

TEST(FinishOptions, StepsAreForTolerancesBelowTheirBeginning) {
  for (const char* finish : {"auto", "newton"}) {
    EXPECT_TRUE((FinishOptions{finish, 1e-4}.wanted(image(), 1e-5)));
    EXPECT_FALSE((FinishOptions{finish, 1e-4}.wanted(image(), 1e-4)));
  }
  EXPECT_FALSE((FinishOptions{"none", 1e-4}.wanted(image(), 1e-9)));
  EXPECT_TRUE((FinishOptions{"newton", 1e-4}.wanted(heaps(10, 0), 1e-9)));
  EXPECT_FALSE((FinishOptions{"auto", 1e-4}.wanted(heaps(10, 0), 1e-9)));
}

}  // namespace
}  // namespace hpot
