// Supports that ranks keep their own parts of come back as they were.
#include "hpot/measure/divided_support.hpp"
#include "hpot/measure/synthetic_points.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

TEST(DividedSupport, CloudsComeBackToTheBit) {
  const Communicator world = Communicator::world();
  for (const Index n : {1, 63, 130, 1000}) {
    for (const int dimension : {1, 3}) {
      const CloudData data =
          synthetic_cloud("points?n=" + std::to_string(n) + "&dim=" + std::to_string(dimension) + "&shape=gaussian", 0);
      for (const PointCloud& cloud : {data.cloud, in_morton_order(data).cloud}) {
        const Support whole = DividedSupport(cloud, world).whole();
        ASSERT_NE(whole.cloud(), nullptr);
        EXPECT_EQ(whole.cloud()->dimension, dimension);
        EXPECT_EQ(*whole.cloud()->coordinates, *cloud.coordinates);
        ASSERT_EQ(whole.cloud()->order == nullptr, cloud.order == nullptr);
        if (cloud.order != nullptr) EXPECT_EQ(*whole.cloud()->order, *cloud.order);
      }
    }
  }
}

TEST(DividedSupport, PointsOfOtherRanksAreLetGo) {
  const Communicator world = Communicator::world();
  PointCloud cloud = in_morton_order(synthetic_cloud("points?n=1000&dim=2", 0)).cloud;
  const std::weak_ptr<const std::vector<Real>> coordinates = cloud.coordinates;
  const std::weak_ptr<const std::vector<Index>> order = cloud.order;
  const DividedSupport divided(Support(std::exchange(cloud, {})), world);
  EXPECT_EQ(coordinates.expired(), world.size() > 1);
  EXPECT_EQ(order.expired(), world.size() > 1);
}

TEST(DividedSupport, OthersStayWhatTheyAre) {
  const Communicator world = Communicator::world();
  const Grid grid = make_grid({7, 12}, {1.0, 2.0});
  const Support back = DividedSupport(grid, world).whole();
  ASSERT_NE(back.grid(), nullptr);
  EXPECT_TRUE(grid_mismatch(grid, *back.grid()).empty());
  EXPECT_EQ(DividedSupport(IndexSet{17}, world).whole().points(), 17);
}

}  // namespace
}  // namespace hpot
