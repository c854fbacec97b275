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

TEST(BlockSpace, ColoursDivideTheBlocksAndNameEveryNeighbourOnce) {
  for (const auto& [shape, sides] : shapes()) {
    const Blocks blocks(shape, sides);
    const auto block = blocks_of_points(blocks.grid, sides);
    std::vector<int> coloured(blocks.space.blocks(), 0);
    for (Index colour = 0; colour < blocks.space.colours(); ++colour) {
      const Field indicator = blocks.owned(Values(blocks.grid.points(), 7.0));
      blocks.space.indicate(colour, indicator);
      const Values sums = blocks.space.sums(indicator);
      for (Index b = 0; b < blocks.space.blocks(); ++b) {
        const bool own = blocks.space.neighbour(b, colour) == b;
        EXPECT_EQ(sums[b], own ? static_cast<Real>(std::count(block.begin(), block.end(), b)) : 0.0);
        coloured[b] += own ? 1 : 0;
        const Index other = blocks.space.neighbour(b, colour);
        EXPECT_LT(other, blocks.space.blocks());
        if (other >= 0 && other != b) EXPECT_EQ(sums[other] > 0.0, true) << "of that colour";
      }
    }
    for (const int times : coloured) EXPECT_EQ(times, 1);
  }
}

TEST(BlockSides, GrowWithTheRangeOfTheKernelAndStayOnTheGrid) {
  const Grid image = make_grid({100, 100}, {1.0, 2.0});
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 0.25), (std::vector<Index>{4, 4}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 9.5), (std::vector<Index>{12, 4}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, image, 1e9), (std::vector<Index>{100, 100}));
  const auto large = block_sides(SquaredEuclidean{}, make_grid({1000, 1000}, {1.0, 1.0}), 0.25);
  EXPECT_EQ(large, (std::vector<Index>{8, 8}));
  EXPECT_EQ(block_sides(SquaredEuclidean{}, make_grid({128, 128, 128}, {1.0, 1.0, 1.0}), 1.0),
            (std::vector<Index>{8, 8, 8}));
}

}  // namespace
}  // namespace hpot
