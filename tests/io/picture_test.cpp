#include "hpot/io/picture.hpp"

#include "hpot/io/nifti.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <set>

namespace hpot {
namespace {

using testing::ElementsAre;

constexpr Real nan = std::numeric_limits<Real>::quiet_NaN();

std::vector<int> pixel(const Raster& raster, Index x, Index y) {
  const std::uint8_t* rgb = raster.rgb.data() + 3 * (y * raster.width + x);
  return {rgb[0], rgb[1], rgb[2]};
}
int brightness(const Raster& raster, Index x, Index y) {
  const auto rgb = pixel(raster, x, y);
  return rgb[0] + rgb[1] + rgb[2];
}
const std::vector<int> black{0, 0, 0};
const std::vector<int> white{255, 255, 255};

TEST(Picture, ImageIsEnlargedByAnIntegerAndKeepsItsOrientation) {
  std::vector<Real> values(60 * 100, 0.0);
  values[0] = 1.0;  // top left
  const Raster raster = picture_of(make_grid({60, 100}, {1, 1}), values);

  EXPECT_EQ(raster.height, 300);
  EXPECT_EQ(raster.width, 500);
  EXPECT_EQ(raster.rgb.size(), 3u * 300 * 500);
  EXPECT_GT(brightness(raster, 4, 4), 600);
  EXPECT_EQ(pixel(raster, 5, 4), black);
  EXPECT_EQ(pixel(raster, 4, 5), black);
}

TEST(Picture, SequentialColoursGrowBrighterWithTheValue) {
  std::vector<Real> values(300);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(i);
  const Raster raster = picture_of(make_grid({1, 300}, {1, 1}), values);
  const Index cell = raster.width / 300;

  EXPECT_EQ(pixel(raster, 0, 0), black);
  for (Index i = 1; i < 300; ++i) {
    EXPECT_GE(brightness(raster, i * cell, 0) + 6, brightness(raster, (i - 1) * cell, 0)) << i;
  }
  EXPECT_GT(brightness(raster, 299 * cell, 0), 650);
}

TEST(Picture, OneOutlierDoesNotDarkenTheRest) {
  std::vector<Real> values(100 * 100, 1.0);
  values[5000] = 1e6;
  const Raster raster = picture_of(make_grid({100, 100}, {1, 1}), values);

  EXPECT_GT(brightness(raster, 0, 0), 650);
}

TEST(Picture, SignedDataAreBlueBelowZeroAndRedAboveAndNaNIsBackground) {
  const Raster raster = picture_of(make_grid({1, 4}, {1, 1}), {-2.0, 0.0, 2.0, nan});
  const Index cell = raster.width / 4;

  EXPECT_GT(pixel(raster, 0, 0)[2], 2 * pixel(raster, 0, 0)[0]);
  EXPECT_EQ(pixel(raster, cell, 0), white);
  EXPECT_GT(pixel(raster, 2 * cell, 0)[0], 2 * pixel(raster, 2 * cell, 0)[2]);
  EXPECT_EQ(pixel(raster, 3 * cell, 0), white);
}

TEST(Picture, NothingButZerosOrNaNIsBackgroundOfTheRightSize) {
  for (const Real value : {0.0, nan}) {
    for (const std::vector<Index>& shape : {std::vector<Index>{64, 64}, std::vector<Index>{8, 8, 8}}) {
      const Grid grid = make_grid(shape, {});
      const Raster raster = picture_of(grid, std::vector<Real>(grid.points(), value));
      EXPECT_GE(raster.height, 256);
      EXPECT_EQ(std::set<std::uint8_t>(raster.rgb.begin(), raster.rgb.end()), std::set<std::uint8_t>{0});
    }
    EXPECT_EQ(picture_of(make_grid({5}, {}), std::vector<Real>(5, value)).width, 512);
  }
}

TEST(Picture, ExtremeMagnitudesAreDrawnLikeOrdinaryOnes) {
  const std::vector<Real> values{0.0, 1.0, 2.0, 4.0};
  const Raster plain = picture_of(make_grid({2, 2}, {}), values);
  for (const Real factor : {1e-307, 1e307}) {
    std::vector<Real> scaled = values;
    for (Real& v : scaled) v *= factor;
    EXPECT_EQ(picture_of(make_grid({2, 2}, {}), scaled).rgb, plain.rgb) << factor;
    EXPECT_EQ(picture_of(make_grid({4}, {}), scaled).height, 256) << factor;
  }
}

TEST(Picture, AnisotropicSpacingKeepsThePhysicalAspect) {
  const Raster raster = picture_of(make_grid({50, 100}, {3, 1}), std::vector<Real>(5000, 1.0));

  EXPECT_EQ(raster.height, 300);
  EXPECT_EQ(raster.width, 200);
}

TEST(Picture, CurveIsFilledFromZeroToTheValue) {
  std::vector<Real> values(64, 0.0);
  values[32] = 1.0;
  const Raster raster = picture_of(make_grid({64}, {}), values);

  EXPECT_EQ(raster.width, 512);
  EXPECT_EQ(raster.height, 256);
  EXPECT_EQ(pixel(raster, 0, 128), white);
  EXPECT_NE(pixel(raster, 32 * 8 + 4, 128), white);
  EXPECT_EQ(pixel(raster, 34 * 8 + 4, 128), white);
}

TEST(Picture, CurveOfManyCellsShowsASpikeThatIsNarrowerThanAPixel) {
  std::vector<Real> values(100000, 0.0);
  values[50000] = 1.0;
  values[70000] = -1.0;
  const Raster raster = picture_of(make_grid({100000}, {}), values);

  EXPECT_NE(pixel(raster, 256, 60), white);
  EXPECT_NE(pixel(raster, 358, 200), white);
  EXPECT_EQ(pixel(raster, 300, 60), white);
}

/// 20 x 30 x 40 voxels (x, y, z); one bright voxel at (4, 20, 30) and dim ones at the box's corners around it.
struct Volume {
  Grid grid = make_grid({40, 30, 20}, {1, 1, 1});
  std::vector<Real> values = std::vector<Real>(40 * 30 * 20, 0.0);
  Real& at(Index x, Index y, Index z) { return values[(z * 30 + y) * 20 + x]; }
};

TEST(Picture, VolumeShowsThreeSlicesThroughTheMiddleOfItsSupportWithSuperiorUp) {
  Volume volume;
  volume.at(4, 20, 30) = 1.0;
  const Raster raster = picture_of(volume.grid, volume.values);
  const Index cell = 7;  // 40 * 7 = 280 >= 256

  ASSERT_EQ(raster.height, 40 * cell);
  ASSERT_EQ(raster.width, (30 + 20 + 20) * cell + 16);
  const auto lit = [&](Index x, Index y) { return brightness(raster, x, y) > 600; };
  EXPECT_TRUE(lit(20 * cell + 3, (39 - 30) * cell + 3));                             // sagittal: y across, z up
  EXPECT_TRUE(lit(30 * cell + 8 + 4 * cell + 3, (39 - 30) * cell + 3));              // coronal: x across, z up
  EXPECT_TRUE(lit(50 * cell + 16 + 4 * cell + 3, 5 * cell + (29 - 20) * cell + 3));  // axial, centred: y up
  EXPECT_FALSE(lit(20 * cell + 3, 30 * cell + 3));
}

TEST(Picture, AffineTurnsPermutedAndFlippedAxesIntoTheSameView) {
  Volume volume;
  volume.at(4, 20, 30) = 1.0;
  volume.at(5, 20, 30) = 0.6;
  volume.at(4, 21, 30) = 0.4;
  volume.at(4, 20, 31) = 0.2;
  // The same volume with the file's fastest axis running down (superior to inferior), the next one from left to right,
  // the slowest one from posterior to anterior.
  Grid turned = make_grid({30, 20, 40}, {1, 1, 1});
  turned.affine = Affine{{{0, 1, 0, 0}, {0, 0, 1, 0}, {-1, 0, 0, 39}}};
  std::vector<Real> values(volume.values.size());
  for (Index z = 0; z < 40; ++z) {
    for (Index y = 0; y < 30; ++y) {
      for (Index x = 0; x < 20; ++x) values[(y * 20 + x) * 40 + (39 - z)] = volume.at(x, y, z);
    }
  }

  const Raster expected = picture_of(volume.grid, volume.values);
  const Raster raster = picture_of(turned, values);

  EXPECT_EQ(raster.width, expected.width);
  // The middle of [z, z + 1] rounds down in voxels, so that the flipped axis takes the neighbouring slice.
  const Index sagittal_and_coronal = 50 * 7 + 8;
  for (Index y = 0; y < raster.height; ++y) {
    for (Index x = 0; x < sagittal_and_coronal; ++x) ASSERT_EQ(pixel(raster, x, y), pixel(expected, x, y)) << x << y;
  }
}

TEST(Picture, ContactSheetPutsRastersInRowsWithALineBetween) {
  const Raster tile = picture_of(make_grid({256, 256}, {}), std::vector<Real>(65536, 1.0));
  const Raster sheet = contact_sheet({tile, tile, tile}, 2);

  EXPECT_EQ(sheet.width, 2 * 256 + 2);
  EXPECT_EQ(sheet.height, 2 * 256 + 2);
  EXPECT_EQ(pixel(sheet, 0, 0), pixel(tile, 0, 0));
  EXPECT_EQ(pixel(sheet, 258, 0), pixel(tile, 0, 0));
  EXPECT_THAT(pixel(sheet, 256, 10), ElementsAre(96, 96, 96));
  EXPECT_THAT(pixel(sheet, 300, 300), ElementsAre(96, 96, 96));  // no fourth raster
  EXPECT_TRUE(contact_sheet({}, 3).rgb.empty());
}

TEST(Picture, SignedBrainMapWithNaNBackgroundIsDrawn) {
  namespace fs = std::filesystem;
  const char* set = std::getenv("HPOT_DATA_DIR");
  const fs::path data = set != nullptr ? fs::path(set) : fs::path(HPOT_SOURCE_DIR) / "../shared/data";
  const fs::path file = data / "volumes/fmri_contrasts/con_00810001.img";
  if (!fs::exists(file)) GTEST_SKIP() << "no data";
  const GridData map = read_nifti(file.string());

  const Raster raster = picture_of(map.grid, map.values);

  EXPECT_GE(raster.height, 256);
  EXPECT_EQ(pixel(raster, 0, 0), white);
  std::set<std::vector<int>> colours;
  for (Index y = 0; y < raster.height; y += 3) {
    for (Index x = 0; x < raster.width; x += 3) colours.insert(pixel(raster, x, y));
  }
  EXPECT_GT(colours.size(), 100u);
}

}  // namespace
}  // namespace hpot
