// The course of eps, the pyramid of grids beneath it, and what monitors keep of a solve.
#include "hpot/measure/pyramid.hpp"
#include "hpot/solver/epsilon_schedule.hpp"
#include "hpot/solver/monitor.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

TEST(Schedule, HalvesEpsilonFromTheLargestCostDownToTheTarget) {
  const auto stages = make_schedule({2.0, true, 5e-2, 16}, 0.5, 100.0, {1.0}, 1e-8);
  EXPECT_GE(stages.front().epsilon, 100.0);
  EXPECT_LT(stages.front().epsilon, 200.0);
  EXPECT_EQ(stages.back().epsilon, 0.5);
  for (std::size_t n = 1; n < stages.size(); ++n) EXPECT_DOUBLE_EQ(stages[n].epsilon, 0.5 * stages[n - 1].epsilon);
}

TEST(Schedule, OnlyTheLastStageIsSolvedToTheTolerance) {
  const auto stages = make_schedule({2.0, true, 5e-2, 16}, 0.5, 100.0, {1.0, 4.0, 16.0}, 1e-8);
  for (std::size_t n = 0; n + 1 < stages.size(); ++n) EXPECT_EQ(stages[n].tolerance, 5e-2);
  EXPECT_EQ(stages.back().tolerance, 1e-8);
  EXPECT_EQ(make_schedule({2.0, true, 5e-2, 16}, 0.5, 100.0, {1.0}, 0.1).front().tolerance, 0.1);
}

TEST(Schedule, EachEpsilonIsSolvedOnTheCoarsestGridThatResolvesIt) {
  const Values neighbour_costs{1.0, 4.0, 16.0};
  const auto stages = make_schedule({2.0, true, 5e-2, 16}, 0.5, 100.0, neighbour_costs, 1e-8);
  EXPECT_EQ(stages.front().level, 2);
  for (std::size_t n = 0; n < stages.size(); ++n) {
    const int level = stages[n].level;
    EXPECT_LE(level, stages[n == 0 ? 0 : n - 1].level);
    EXPECT_TRUE(level == 0 || neighbour_costs[level] <= stages[n].epsilon);
    EXPECT_TRUE(level == 2 || neighbour_costs[level + 1] > stages[n].epsilon);
  }
}

TEST(Schedule, EndsOnTheGivenGridAlsoWhereACoarserOneResolvesTheTarget) {
  const auto stages = make_schedule({2.0, true, 5e-2, 16}, 20.0, 100.0, {1.0, 4.0, 16.0}, 1e-8);
  EXPECT_EQ(stages.back().level, 0);
  EXPECT_EQ(stages.back().epsilon, 20.0);
  EXPECT_EQ(stages.back().tolerance, 1e-8);
  EXPECT_EQ(stages[stages.size() - 2].level, 2);
}

TEST(Schedule, NoneOrALargeTargetIsOneStage) {
  for (const auto& stages : {make_schedule({1.0, false, 5e-2, 16}, 0.5, 100.0, {1.0, 4.0}, 1e-8),
                             make_schedule({2.0, false, 5e-2, 16}, 200.0, 100.0, {1.0, 4.0}, 1e-8)}) {
    ASSERT_EQ(stages.size(), 1U);
    EXPECT_EQ(stages[0].level, 0);
    EXPECT_EQ(stages[0].tolerance, 1e-8);
  }
}

TEST(Pyramid, CoarseningConservesMassOnOddSides) {
  for (const std::vector<Index>& shape :
       {std::vector<Index>{7}, std::vector<Index>{5, 8}, std::vector<Index>{3, 7, 9}, std::vector<Index>{1, 1, 5}}) {
    Grid grid = make_grid(shape, std::vector<Real>(shape.size(), 1.0));
    Values weights = test::random_measure(grid.points(), 3, 0.5);
    while (grid.points() > 1) {
      weights = coarsen(grid, weights);
      grid = coarsen(grid);
      ASSERT_EQ(static_cast<Index>(weights.size()), grid.points());
      EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1.0, 1e-14);
    }
  }
}

TEST(Pyramid, CoarseCellsHoldTheirFineCellsAndSitAtTheirCentre) {
  const Grid grid{{{3, 1.0, 10.0}, {4, 1.0, -2.0}}, {}};
  const Grid coarse = coarsen(grid);
  EXPECT_EQ(coarse.axes[0].n, 2);
  EXPECT_EQ(coarse.axes[1].n, 2);
  EXPECT_EQ(coarse.axes[0].spacing, 2.0);
  EXPECT_EQ(coarse.axes[0].coordinate(0), 10.5);
  EXPECT_EQ(coarse.axes[1].coordinate(1), 0.5);
  EXPECT_EQ(coarsen(grid, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), (Values{14, 22, 19, 23}));
}

TEST(Pyramid, AnisotropicGridsBecomeIsotropicFirst) {
  const Grid grid = make_grid({30, 30, 30}, {4.0, 1.0, 1.2});
  const Grid once = coarsen(grid);
  EXPECT_EQ(once.axes[0].n, 30);
  EXPECT_EQ(once.axes[1].n, 15);
  EXPECT_EQ(once.axes[2].n, 15);
  const Grid twice = coarsen(once);
  EXPECT_EQ(twice.axes[0].spacing, 4.0);
  EXPECT_EQ(twice.axes[1].spacing, 4.0);
  EXPECT_EQ(coarsen(twice).axes[0].n, 15);
}

TEST(Pyramid, LevelsEndAtTheSmallestSideAndAtOnePoint) {
  const auto levels = make_levels(make_grid({61, 73, 61}, {3.0, 3.0, 3.0}), 16);
  EXPECT_EQ(levels.size(), 4U);
  EXPECT_LE(levels.back().axes[1].n, 16);
  EXPECT_GT(levels[2].axes[1].n, 16);
  EXPECT_EQ(make_levels(make_grid({1, 1, 1}, {1.0, 1.0, 1.0}), 16).size(), 1U);
  EXPECT_EQ(make_levels(make_grid({1, 64}, {1.0, 1.0}), 1).back().points(), 1);
}

TEST(Pyramid, InterpolationReproducesLinearFunctionsInsideAndClampsAtTheBorder) {
  const Grid fine = make_grid({8, 10}, {1.0, 0.8});
  const Grid coarse = coarsen(fine);
  const auto linear = [](const Values& x) { return 2.0 * x[0] - 3.0 * x[1] + 1.0; };
  Values on_coarse;
  for (const Values& x : reference::points_of(coarse)) on_coarse.push_back(linear(x));
  const Values values = interpolate(coarse, on_coarse, fine, {0, 80});
  const auto points = reference::points_of(fine);
  for (Index i = 0; i < 8; ++i) {
    for (Index j = 0; j < 10; ++j) {
      const Values& x = points[10 * i + j];
      const Values clamped{std::clamp(x[0], coarse.axes[0].origin, coarse.axes[0].coordinate(3)),
                           std::clamp(x[1], coarse.axes[1].origin, coarse.axes[1].coordinate(4))};
      EXPECT_NEAR(values[10 * i + j], linear(clamped), 1e-13);
    }
  }
  EXPECT_EQ(interpolate(coarse, on_coarse, fine, {30, 50}), Values(values.begin() + 30, values.begin() + 50));
}

TEST(HistoryMonitor, KeepsEveryEntryOfAShortSolve) {
  HistoryMonitor monitor;
  for (int n = 1; n <= 1000; ++n) monitor.record({n, 0, 1.0, 1.0 / n, 0.1 * n}, 1e-4, true);
  const History history = monitor.history();
  ASSERT_EQ(history.size(), 1000U);
  for (int n = 1; n <= 1000; ++n) EXPECT_EQ(history[n - 1].iteration, n);
}

TEST(HistoryMonitor, ThinsALongSolveButKeepsFirstAndLast) {
  for (const int count : {4095, 4096, 4097, 5000, 8191, 8192, 100000, 1234567}) {
    HistoryMonitor monitor;
    for (int n = 1; n <= count; ++n) monitor.record({n, 0, 1.0, 1.0, 0.0}, 1e-4, true);
    const History history = monitor.history();
    EXPECT_LE(history.size(), 4096U) << count;
    EXPECT_GE(history.size(), 2000U) << count;
    EXPECT_EQ(history.front().iteration, 1) << count;
    EXPECT_EQ(history.back().iteration, count) << count;
    const auto stride = history[1].iteration - history[0].iteration;
    for (std::size_t n = 1; n < history.size(); ++n) {
      EXPECT_GT(history[n].iteration, history[n - 1].iteration);
      EXPECT_LE(history[n].iteration - history[n - 1].iteration, stride);
    }
  }
}

TEST(HistoryMonitor, IsEmptyBeforeTheFirstSweep) { EXPECT_TRUE(HistoryMonitor().history().empty()); }

TEST(Monitors, SeeEverySweepAndTheFinalStage) {
  class Recorder final : public Monitor {
   public:
    void record(const HistoryEntry& entry, Real tolerance, bool final_stage) override {
      entries.push_back(entry);
      EXPECT_EQ(tolerance, final_stage ? 1e-7 : 3e-3);
      finals += final_stage ? 1 : 0;
    }
    std::vector<HistoryEntry> entries;
    int finals = 0;
  } recorder;
  const Grid grid = make_grid({40, 33}, {1.0, 1.0});
  TransportSettings settings = test::transport_settings(1.0, 1e-7);
  settings.finish.finish = "none";
  const auto solution = solve_transport(
      test::alone(), settings, {grid, grid, test::random_measure(1320, 1, 0.3), test::random_measure(1320, 2, 0.3)},
      {&recorder});
  ASSERT_EQ(static_cast<Index>(recorder.entries.size()), solution.outcome.iterations);
  EXPECT_GT(recorder.finals, 0);
  EXPECT_GT(recorder.entries.front().level, 0);
  EXPECT_EQ(recorder.entries.back().level, 0);
  EXPECT_EQ(recorder.entries.back().marginal_error, solution.outcome.error);
  for (std::size_t n = 1; n < recorder.entries.size(); ++n) {
    EXPECT_EQ(recorder.entries[n].iteration, recorder.entries[n - 1].iteration + 1);
    EXPECT_LE(recorder.entries[n].epsilon, recorder.entries[n - 1].epsilon);
    EXPECT_LE(recorder.entries[n].level, recorder.entries[n - 1].level);
    EXPECT_GE(recorder.entries[n].seconds, recorder.entries[n - 1].seconds);
  }
}

}  // namespace
}  // namespace hpot
