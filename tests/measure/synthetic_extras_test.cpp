// Built-in cost matrices and pictures.
#include "hpot/core/error.hpp"
#include "hpot/measure/synthetic_matrix.hpp"
#include "hpot/measure/synthetic_picture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

using testing::HasSubstr;

template <class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SyntheticMatrix, BlocksOfRowsAreTheWhole) {
  const std::string source = "words?n=23&m=17&dim=8&seed=5";
  EXPECT_EQ(synthetic_matrix_shape(source), (std::pair<Index, Index>{23, 17}));
  const auto whole = synthetic_matrix_rows(source, {0, 23});
  ASSERT_EQ(whole.size(), 23U * 17U);
  const auto part = synthetic_matrix_rows(source, {9, 14});
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 9 * 17));
  for (const Real cost : whole) EXPECT_TRUE(cost >= 0.0 && cost <= 2.0);
}

TEST(SyntheticMatrix, CostsAreThoseOfUnitVectors) {
  // 1 - C is a matrix of scalar products in two dimensions: of rank 2
  const auto costs = synthetic_matrix_rows("words?n=3&m=3&dim=2&seed=1", {0, 3});
  Real g[3][3];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) g[i][j] = 1.0 - costs[3 * i + j];
  }
  const Real determinant = g[0][0] * (g[1][1] * g[2][2] - g[1][2] * g[2][1]) -
                           g[0][1] * (g[1][0] * g[2][2] - g[1][2] * g[2][0]) +
                           g[0][2] * (g[1][0] * g[2][1] - g[1][1] * g[2][0]);
  EXPECT_NEAR(determinant, 0.0, 1e-14);
}

TEST(SyntheticMatrix, WordsWithoutSpreadOfOneTopicCostNothing) {
  for (const Real cost : synthetic_matrix_rows("words?n=5&m=6&topics=1&spread=0", {0, 5}))
    EXPECT_NEAR(cost, 0.0, 1e-15);
}

TEST(SyntheticMatrix, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(message_of([] { synthetic_matrix_shape("sentences?n=4"); }), HasSubstr("known: words"));
  EXPECT_THAT(message_of([] { synthetic_matrix_shape("words?length=4"); }), HasSubstr("no such key"));
  EXPECT_THAT(message_of([] { synthetic_matrix_rows("words?dim=0", {0, 1}); }), HasSubstr("dim"));
}

TEST(SyntheticPicture, ItemsAreTheirOwnPictures) {
  EXPECT_TRUE(is_synthetic_picture("scene?n=4"));
  EXPECT_FALSE(is_synthetic_picture("points?n=4"));
  EXPECT_EQ(synthetic_picture_count("scene"), 2);
  EXPECT_EQ(synthetic_picture_count("scene?item=1"), 1);
  const SyntheticPicture noon = synthetic_picture("scene?n=30", 0);
  EXPECT_EQ(noon.width, 40);
  ASSERT_EQ(noon.rgb.size(), 3U * 30U * 40U);
  EXPECT_EQ(synthetic_picture("scene?n=30&item=0", 1).rgb, noon.rgb);
  const SyntheticPicture sunset = synthetic_picture("scene?n=30", 1);
  EXPECT_NE(sunset.rgb, noon.rgb);
  EXPECT_GT(noon.rgb[2], noon.rgb[0] + 50);  // blue above at noon
  const std::size_t horizon = 3U * 40U * 15U;
  EXPECT_GT(sunset.rgb[horizon], sunset.rgb[horizon + 2] + 50);  // red at the horizon at sunset
  EXPECT_THAT(message_of([] { synthetic_picture("scene?tall=3", 0); }), HasSubstr("no such key"));
}

}  // namespace
}  // namespace hpot
