// The same answer on any number of ranks. Every rank also solves the whole problem alone and compares what it owns:
// bit for bit; where measures are divided, potentials and sweeps to the bit and the last sum of the result to rounding; with
// dense and stored operators, whose column sums are added over ranks, to rounding.
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

Values owned(const Values& all, const OwnedRows& rows) {
  return {all.begin() + rows.range().begin, all.begin() + rows.range().end};
}

/// A fixed number of sweeps: the tolerance is out of reach.
constexpr Index sweeps = 60;

TransportSettings fixed_sweeps(const std::string& kernel, const std::string& penalty, const std::string& acceleration) {
  TransportSettings settings = test::transport_settings(0.6, 1e-15, penalty);
  settings.kernel.type = kernel;
  settings.acceleration.type = acceleration;
  settings.stopping.max_iterations = sweeps;
  return settings;
}

void expect_same_on_all_ranks(const TransportSettings& settings, const Grid& grid, const std::string& what) {
  const Values a = test::random_measure(grid.points(), 1, 0.4);
  const Values b = test::random_measure(grid.points(), 2, 0.4);
  const auto together = solve_transport(Communicator::world(), settings, {grid, grid, a, b}, {});
  const auto single = test::solve_alone(settings, grid, a, b);
  EXPECT_EQ(host_values(together.f), owned(host_values(single.f), together.source_rows)) << what;
  EXPECT_EQ(host_values(together.g), owned(host_values(single.g), together.target_rows)) << what;
  EXPECT_EQ(together.outcome.iterations, single.outcome.iterations) << what;
  EXPECT_EQ(together.outcome.error, single.outcome.error) << what;
  EXPECT_EQ(together.values.transport_cost, single.values.transport_cost) << what;
  EXPECT_EQ(together.values.dual_cost, single.values.dual_cost) << what;
  EXPECT_EQ(together.values.primal_cost, single.values.primal_cost) << what;
  EXPECT_EQ(together.values.gap, single.values.gap) << what;
  EXPECT_EQ(together.values.lower_cost, single.values.lower_cost) << what;
  EXPECT_EQ(together.values.upper_cost, single.values.upper_cost) << what;
  EXPECT_EQ(together.values.error_floor, single.values.error_floor) << what;
  EXPECT_EQ(together.values.residual_source, single.values.residual_source) << what;
  EXPECT_EQ(together.values.residual_target, single.values.residual_target) << what;
}

TEST(TransportOnRanks, HasTheBitsOfOneRank) {
  const Grid volume = make_grid({20, 7, 6}, {1.0, 1.0, 1.5});
  for (const char* penalty : {"balanced", "kl:3", "tv:3"}) {
    for (const char* acceleration : {"none", "momentum", "overrelaxation", "anderson"}) {
      expect_same_on_all_ranks(fixed_sweeps("separable", penalty, acceleration), volume,
                               std::string(penalty) + " " + acceleration);
    }
  }
}

TEST(TransportOnRanks, HasTheBitsOfOneRankOnImagesAndLines) {
  expect_same_on_all_ranks(fixed_sweeps("separable", "balanced", "anderson"), make_grid({23, 18}, {1.0, 1.0}), "image");
  expect_same_on_all_ranks(fixed_sweeps("separable", "balanced", "anderson"), make_grid({150}, {1.0}), "line");
}

TEST(TransportOnRanks, AgreesWithOneRankWithDenseAndStoredOperators) {
  const Grid grid = make_grid({9, 8}, {1.0, 1.0});
  const Values a = test::random_measure(grid.points(), 1, 0.4);
  const Values b = test::random_measure(grid.points(), 2, 0.4);
  for (const char* kernel : {"dense", "stored"}) {
    for (const char* acceleration : {"none", "overrelaxation"}) {
      TransportSettings settings = fixed_sweeps(kernel, "balanced", acceleration);
      settings.finish.finish = "none";
      const auto together = solve_transport(Communicator::world(), settings, {grid, grid, a, b}, {});
      const auto single = test::solve_alone(settings, grid, a, b);
      Real largest = 0.0;
      for (const Real f : host_values(single.f)) largest = std::max(largest, std::abs(f));
      const auto far = [](const Field& some, const Field& whole, const OwnedRows& rows) {
        return reference::largest_difference(host_values(some), owned(host_values(whole), rows));
      };
      EXPECT_LE(far(together.f, single.f, together.source_rows), 1e-12 * largest) << kernel << acceleration;
      EXPECT_LE(far(together.g, single.g, together.target_rows), 1e-12 * largest) << kernel << acceleration;
      EXPECT_NEAR(together.values.transport_cost, single.values.transport_cost, 1e-12 * largest) << kernel;
    }
  }
}

TEST(TransportOnRanks, MayHaveMoreRanksThanPlanes) {
  for (const char* acceleration : {"none", "momentum", "overrelaxation", "anderson"}) {
    TransportSettings settings = fixed_sweeps("separable", "balanced", acceleration);
    settings.finish.finish = "none";
    expect_same_on_all_ranks(settings, make_grid({1, 30}, {1.0, 1.0}), std::string("1 x 30 ") + acceleration);
  }
  expect_same_on_all_ranks(fixed_sweeps("separable", "balanced", "anderson"), make_grid({1, 30}, {1.0, 1.0}), "1 x 30");
  expect_same_on_all_ranks(fixed_sweeps("separable", "kl:3", "anderson"), make_grid({2, 17}, {1.0, 1.0}), "2 x 17");
  expect_same_on_all_ranks(fixed_sweeps("separable", "balanced", "anderson"), make_grid({1, 1, 1}, {1.0, 1.0, 1.0}),
                           "one voxel");
}

TEST(UnitsOnRanks, MaxCostAndMeanCostAreThoseOfOneRank) {
  const Grid grid = make_grid({9, 8}, {1.0, 1.0});
  for (const char* unit : {"max_cost", "mean_cost"}) {
    TransportSettings settings = fixed_sweeps("separable", "kl:0.1", "anderson");
    settings.epsilon = {0.01, unit};
    expect_same_on_all_ranks(settings, grid, unit);
  }
}

/// All process grids of this job's size.
std::vector<ProcessGridShape> shapes() {
  const int ranks = Communicator::world().size();
  std::vector<ProcessGridShape> all;
  for (int rows = 1; rows <= ranks; ++rows) {
    if (ranks % rows == 0) all.push_back({rows, ranks / rows});
  }
  return all;
}

void expect_same_barycenter(const Grid& grid, Index count, bool debiased, const std::string& acceleration) {
  std::vector<Values> measures;
  Values lambda;
  for (Index k = 0; k < count; ++k) {
    measures.push_back(test::random_measure(grid.points(), 20 + static_cast<unsigned>(k), 0.3));
    lambda.push_back(static_cast<Real>(k + 1) * 2.0 / static_cast<Real>(count * (count + 1)));
  }
  BarycenterSettings settings;
  settings.kernel.type = "separable";
  settings.epsilon = {1.0, "cost"};
  settings.stopping = {1e-15, sweeps, infinity};
  settings.acceleration.type = acceleration;
  settings.debiased = debiased;
  const auto single = solve_barycenter(ProcessGrid(test::alone(), {1, 1}), settings, grid, measures, lambda, {});
  const Values whole = host_values(single.result.barycenter);
  const Real scale = *std::max_element(whole.begin(), whole.end());
  for (const ProcessGridShape shape : shapes()) {
    const ProcessGrid processes(Communicator::world(), shape);
    const Range mine = Partition(count, 1, shape.batches).block(processes.along_batches().rank());
    const auto together =
        solve_barycenter(processes, settings, grid, {measures.begin() + mine.begin, measures.begin() + mine.end},
                         {lambda.begin() + mine.begin, lambda.begin() + mine.end}, {});
    const std::string what =
        grid.describe() + ", " + std::to_string(shape.rows) + " x " + std::to_string(shape.batches);
    const Values part = host_values(together.result.barycenter);
    const Values expected = owned(whole, together.rows);
    EXPECT_EQ(together.outcome.iterations, single.outcome.iterations) << what;
    EXPECT_EQ(together.outcome.error, single.outcome.error) << what;
    if (shape.batches == 1) {
      EXPECT_EQ(part, expected) << what;
    } else {
      EXPECT_LT(reference::largest_difference(part, expected), 1e-15 * scale) << what;
    }
  }
}

TEST(BarycenterOnRanks, EqualsThatOfOneRankOnEveryProcessGrid) {
  for (const bool debiased : {false, true}) {
    expect_same_barycenter(make_grid({20, 7, 6}, {1.0, 1.0, 1.5}), 4, debiased, "none");
    expect_same_barycenter(make_grid({19, 18}, {1.0, 1.0}), 5, debiased, "none");
  }
}

TEST(BarycenterOnRanks, MayHaveMoreRanksThanMeasuresOrPlanes) {
  for (const bool debiased : {false, true}) {
    expect_same_barycenter(make_grid({12, 11}, {1.0, 1.0}), 2, debiased, "none");
    expect_same_barycenter(make_grid({12, 11}, {1.0, 1.0}), 1, debiased, "none");
    expect_same_barycenter(make_grid({2, 25}, {1.0, 1.0}), 2, debiased, "none");
  }
}

TEST(BarycenterOnRanks, StaysTheSameUnderAnderson) {
  for (const bool debiased : {false, true}) {
    expect_same_barycenter(make_grid({19, 18}, {1.0, 1.0}), 4, debiased, "anderson");
    expect_same_barycenter(make_grid({12, 7, 6}, {1.0, 1.0, 1.5}), 5, debiased, "anderson");
  }
}

}  // namespace
}  // namespace hpot
