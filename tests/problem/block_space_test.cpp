#include "hpot/problem/block_space.hpp"

#include "hpot/kernel/registry.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using reference::Values;

struct Blocks {
  Grid grid;
  OwnedRows rows;
  BlockSpace space;
  Blocks(const std::vector<Index>& shape, const std::vector<Index>& sides)
      : grid(make_grid(shape, std::vector<Real>(shape.size(), 1.0))),
        rows(own_rows(grid, Communicator::world())),
        space(grid, rows, sides) {}
  [[nodiscard]] Field owned(const Values& all) const {
    const Range range = rows.range();
    return reference::field_of({all.begin() + range.begin, all.begin() + range.end});
  }
};

/// The block of every point, counted plainly.
std::vector<Index> blocks_of_points(const Grid& grid, const std::vector<Index>& sides) {
  std::vector<Index> blocks;
  for (const Values& x : reference::points_of(grid)) {
    Index block = 0;
    for (std::size_t d = 0; d < sides.size(); ++d) {
      block = block * ((grid.axes[d].n + sides[d] - 1) / sides[d]) + static_cast<Index>(x[d]) / sides[d];
    }
    blocks.push_back(block);
  }
  return blocks;
}

const std::vector<std::pair<std::vector<Index>, std::vector<Index>>>& shapes() {
  static const std::vector<std::pair<std::vector<Index>, std::vector<Index>>> all = {
      {{130}, {4}}, {{9, 14}, {4, 4}}, {{11, 7, 10}, {3, 2, 4}}, {{2, 9}, {4, 4}}};
  return all;
}

TEST(BlockSpace, SumsOverBlocksAndSpreadsBack) {
  for (const auto& [shape, sides] : shapes()) {
    const Blocks blocks(shape, sides);
    const auto block = blocks_of_points(blocks.grid, sides);
    const Values v = reference::random_values(blocks.grid.points(), 3, -1.0, 1.0);
    Values expected(blocks.space.blocks(), 0.0);
    for (std::size_t j = 0; j < v.size(); ++j) expected[block[j]] += v[j];
    const Values sums = blocks.space.sums(blocks.owned(v));
    EXPECT_LT(reference::largest_difference(sums, expected), 1e-13);
    const Field spread = blocks.owned(v);
    blocks.space.add(sums, spread);
    const Values result = reference::values_of(spread);
    for (std::size_t j = 0; j < result.size(); ++j) {
      const std::size_t global = j + blocks.rows.range().begin;
      EXPECT_EQ(result[j], v[global] + sums[block[global]]);
    }
  }
}

TEST(BlockSpace, SumsHaveTheSameBitsOnAnyNumberOfRanks) {
  for (const auto& [shape, sides] : shapes()) {
    const Blocks blocks(shape, sides);
    const Values v = reference::random_values(blocks.grid.points(), 4, -1.0, 1.0);
    const OwnedRows all = own_rows(blocks.grid, Communicator::world().split(Communicator::world().rank()));
    EXPECT_EQ(blocks.space.sums(blocks.owned(v)), BlockSpace(blocks.grid, all, sides).sums(reference::field_of(v)));
  }
}

TEST(BlockSpace, StripesDivideTheGridAndPositionsNameTheBlock) {
  for (const auto& [shape, sides] : shapes()) {
    const Blocks blocks(shape, sides);
    const auto points = reference::points_of(blocks.grid);
    const Index begin = blocks.rows.range().begin;
    for (int axis = 0; axis < static_cast<int>(sides.size()); ++axis) {
      const Field v = blocks.owned(Values(blocks.grid.points(), 7.0));
      blocks.space.set_positions(axis, v);
      const Values positions = reference::values_of(v);
      for (Index stripe = 0; stripe < 5; ++stripe) {
        blocks.space.indicate_stripes(axis, 5, stripe, v);
        const Values inside = reference::values_of(v);
        for (std::size_t j = 0; j < inside.size(); ++j) {
          const Index block = static_cast<Index>(points[begin + j][axis]) / sides[axis];
          EXPECT_EQ(inside[j], block % 5 == stripe ? 1.0 : 0.0);
          EXPECT_EQ(static_cast<Index>(positions[j]), block);
        }
      }
    }
  }
}

TEST(BlockSides, GrowWithTheRangeOfTheKernelAndStayOnTheGrid) {
  const Grid image = make_grid({100, 100}, {1.0, 2.0});
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 0.25), (std::vector<Index>{8, 8}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 9.5), (std::vector<Index>{24, 8}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 1e9), (std::vector<Index>{100, 100}));
  const auto large = block_sides(SquaredEuclidean{}, make_grid({1000, 1000}, {1.0, 1.0}), 0.25);
  EXPECT_EQ(large, (std::vector<Index>{16, 16}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, make_grid({128, 128, 128}, {1.0, 1.0, 1.0}), 1.0),
            (std::vector<Index>{8, 8, 8}));
}

}  // namespace
}  // namespace hpot
