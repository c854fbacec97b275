// Barycenters of clouds on several ranks.
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

constexpr Index measures = 4;

/// A start of unequal weights, and measures [owned) of four rings.
FreeSupportData rings(Range owned) {
  const auto cloud = [](const std::string& source, Index item) {
    CloudData data = in_morton_order(synthetic_cloud(source, item));
    data.values = test::scaled_to_mass(data.values, 1.0);
    return data;
  };
  const CloudData start = cloud("points?n=100&seed=3&weights=random", 0);
  FreeSupportData data{start.cloud, start.values, {}, {}, {}};
  for (Index k = owned.begin; k < owned.end; ++k) {
    const CloudData ring = cloud("points?n=130&shape=sphere&count=4", k);
    data.clouds.push_back(ring.cloud);
    data.measures.push_back(ring.values);
    data.lambda.push_back(0.1 * static_cast<Real>(k + 1));
  }
  return data;
}

/// To the bit where measures are divided; where rows are, sums over points are added over ranks.
TEST(FreeSupportOnRanks, AgreesWithOneRankOnEveryProcessGrid) {
  const int size = Communicator::world().size();
  BarycenterSettings settings;
  settings.epsilon = {0.02, "cost"};
  settings.stopping.tolerance = 1e-3;
  settings.free_support = true;
  for (const bool debiased : {false, true}) {
    settings.debiased = debiased;
    const auto single = solve_free_support(ProcessGrid(test::alone(), {1, 1}), settings, rings({0, measures}), {});
    EXPECT_EQ(single.outcome.reason, StopReason::converged);
    for (const ProcessGridShape shape : {ProcessGridShape{size, 1}, ProcessGridShape{1, size}}) {
      const ProcessGrid processes(Communicator::world(), shape);
      const Range owned = Partition(measures, 1, shape.batches).block(processes.along_batches().rank());
      const auto together = solve_free_support(processes, settings, rings(owned), {});
      if (shape.rows > 1) {
        EXPECT_LT(reference::largest_difference(*together.free.points.coordinates, *single.free.points.coordinates),
                  1e-2);
        EXPECT_NEAR(together.free.objective, single.free.objective, 1e-3);
        continue;
      }
      EXPECT_EQ(*together.free.points.coordinates, *single.free.points.coordinates);
      EXPECT_EQ(together.outcome.iterations, single.outcome.iterations);
      EXPECT_EQ(together.free.objective, single.free.objective);
      EXPECT_EQ(together.free.gap, single.free.gap);
      EXPECT_EQ(together.result.errors.marginal, single.result.errors.marginal);
    }
  }
}

}  // namespace
}  // namespace hpot
