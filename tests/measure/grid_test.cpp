#include "hpot/measure/grid.hpp"

#include "hpot/core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace {

using namespace hpot;
using testing::HasSubstr;

Grid volume() {
  Grid grid = make_grid({61, 73, 47}, {4.5, 3.0, 2.0});
  grid.affine = Affine{{{-2, 0, 0, 90}, {0, 3, 0, -126}, {0, 0, 4.5, -72}}};
  return grid;
}

TEST(Grid, DescribesItselfInTheOrderXYZ) {
  const Grid grid = volume();
  EXPECT_EQ(grid.describe(), "47 x 73 x 61, spacing 2 x 3 x 4.5");
  EXPECT_EQ(grid.points(), 61 * 73 * 47);
  EXPECT_EQ(grid.smallest_spacing(), 2.0);
  EXPECT_EQ(grid.axes[0].coordinate(2), 9.0);
}

TEST(Grid, OneSpacingServesAllAxes) {
  EXPECT_EQ(make_grid({4, 5}, {0.5}).describe(), "5 x 4, spacing 0.5 x 0.5");
  EXPECT_EQ(make_grid({4}, {}).describe(), "4, spacing 1");
}

TEST(Grid, ImpossibleGridsAreInputErrors) {
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  const Index huge = Index{1} << 40;
  EXPECT_THROW(make_grid({}, {1.0}), InputError);
  EXPECT_THROW(make_grid({1, 1, 1, 1}, {1.0}), InputError);
  EXPECT_THROW(make_grid({4, 0}, {1.0}), InputError);
  EXPECT_THROW(make_grid({huge, huge}, {1.0}), InputError);
  EXPECT_THROW(make_grid({4, 4, 4}, {1.0, 2.0}), InputError);
  for (const Real spacing : {0.0, -1.0, infinity, nan}) EXPECT_THROW(make_grid({4}, {spacing}), InputError);
}

TEST(GridMismatch, NamesWhatDiffers) {
  const Grid grid = volume();
  Grid other = grid;
  EXPECT_EQ(grid_mismatch(grid, other), "");
  other.axes[2].n = 48;
  EXPECT_EQ(grid_mismatch(grid, other), "shapes differ: 47 x 73 x 61 and 48 x 73 x 61");
  EXPECT_THAT(grid_mismatch(grid, make_grid({73, 47}, {1.0})), HasSubstr("shapes differ: 47 x 73 x 61 and 47 x 73"));
  other = grid;
  other.axes[0].spacing *= 1.0 + 1e-5;
  EXPECT_THAT(grid_mismatch(grid, other), HasSubstr("spacings differ: 2 x 3 x 4.5 and 2 x 3 x 4.500045"));
  other = grid;
  (*other.affine)[0][0] = 2;
  EXPECT_THAT(grid_mismatch(grid, other), HasSubstr("affines differ: voxel (46, 0, 0)"));
}

TEST(GridMismatch, AllowsAThousandthOfAVoxelAtEveryCorner) {
  const Grid grid = volume();
  Grid other = grid;
  (*other.affine)[0][3] += 0.0019;
  EXPECT_EQ(grid_mismatch(grid, other), "");
  (*other.affine)[0][3] += 0.0002;
  EXPECT_NE(grid_mismatch(grid, other), "");
  other = grid;
  (*other.affine)[1][2] += 1e-4;  // harmless at the first slice, 0.006 mm at the last
  EXPECT_THAT(grid_mismatch(grid, other), HasSubstr("voxel (0, 0, 60)"));
}

TEST(GridMismatch, ComparesOriginsWhereOneHasNoAffine) {
  Grid a = make_grid({8}, {0.5}), b = a;
  b.axes[0].origin = 0.25;
  EXPECT_THAT(grid_mismatch(a, b), HasSubstr("origins differ: 0 and 0.25"));
  b.axes[0].origin = 1e-5;
  EXPECT_EQ(grid_mismatch(a, b), "");
}

TEST(Grid, UnpackInvertsPack) {
  Grid plain = make_grid({7, 5}, {0.1, 0.3});
  plain.axes[1].origin = -2.5;
  for (const Grid& grid : {plain, volume()}) {
    const Grid copy = unpack_grid(pack(grid));
    EXPECT_EQ(copy.describe(), grid.describe());
    EXPECT_EQ(copy.affine, grid.affine);
    EXPECT_EQ(copy.axes.back().origin, grid.axes.back().origin);
  }
}

}  // namespace
