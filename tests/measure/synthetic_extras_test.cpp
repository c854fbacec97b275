// Built-in cost matrices, documents and pictures.
#include "hpot/core/error.hpp"
#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_matrix.hpp"
#include "hpot/measure/synthetic_picture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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

TEST(SyntheticMatrix, VocabularyIsOfSquaredDistancesThatAreSmallWithinATopic) {
  constexpr Index n = 23;
  constexpr Index topics = 3;
  const std::string source = "vocabulary?n=23&topics=3&dim=2&spread=0.2&seed=4";
  EXPECT_EQ(synthetic_matrix_shape(source), (std::pair<Index, Index>{n, n}));
  const auto costs = synthetic_matrix_rows(source, {0, n});
  Real within = 0.0, between = infinity;  // the largest, the smallest mean of two topics
  Real sums[topics][topics] = {};
  Index pairs[topics][topics] = {};
  for (Index i = 0; i < n; ++i) {
    EXPECT_EQ(costs[i * n + i], 0.0);
    for (Index j = 0; j < n; ++j) {
      EXPECT_EQ(costs[i * n + j], costs[j * n + i]);
      sums[i * topics / n][j * topics / n] += costs[i * n + j];
      ++pairs[i * topics / n][j * topics / n];
      for (Index k = 0; k < n; ++k)  // roots keep the triangle's inequality
        EXPECT_LE(std::sqrt(costs[i * n + j]), std::sqrt(costs[i * n + k]) + std::sqrt(costs[k * n + j]) + 1e-12);
    }
  }
  for (Index s = 0; s < topics; ++s) {
    for (Index t = 0; t < topics; ++t) {
      const Real mean = sums[s][t] / static_cast<Real>(pairs[s][t]);
      s == t ? within = std::max(within, mean) : between = std::min(between, mean);
    }
  }
  EXPECT_LT(within, 0.2);  // 2 spread^2 = 0.08 for many words
  EXPECT_GT(between, 2.0 * within);
}

TEST(SyntheticDocuments, CountTheirWordsInOneOrTwoTopics) {
  constexpr Index n = 60;
  const std::string source = "documents?n=60&topics=3&words=200&count=30&seed=2";
  EXPECT_EQ(synthetic_count(source), 30);
  Index concentrated = 0;
  std::vector<Real> all(n, 0.0);
  for (Index item = 0; item < 30; ++item) {
    const GridData document = synthetic_measure(source, item);
    ASSERT_EQ(document.values.size(), static_cast<std::size_t>(n));
    Real total = 0.0;
    Real topics[3] = {};
    for (Index word = 0; word < n; ++word) {
      const Real count = document.values[word];
      EXPECT_TRUE(count >= 0.0 && count == std::floor(count));
      total += count;
      topics[word * 3 / n] += count;
      all[word] += count;
    }
    EXPECT_EQ(total, 200.0);
    std::sort(topics, topics + 3);
    concentrated += topics[1] + topics[2] > 0.9 * total ? 1 : 0;
  }
  EXPECT_GT(concentrated, 20);
  for (Index first = 0; first < n; first += 20) {  // 1, 1/2, 1/3 within a topic
    EXPECT_NEAR(all[first] / all[first + 1], 2.0, 0.4);
    EXPECT_NEAR(all[first] / all[first + 2], 3.0, 0.7);
  }
}

TEST(SyntheticDocuments, OfAnItemAndOfAPartAreThoseOfTheWhole) {
  const std::string source = "documents?n=60&topics=3&words=200&seed=2";
  const auto whole = synthetic_measure(source + "&count=5", 4).values;
  EXPECT_EQ(synthetic_measure(source + "&item=4", 0).values, whole);
  const auto part = synthetic_planes(source + "&item=4", 0, {13, 47}).values;
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 13, whole.begin() + 47));
  EXPECT_NE(synthetic_measure(source + "&count=5", 3).values, whole);
  EXPECT_EQ(synthetic_measure("documents?n=1&words=7", 0).values, std::vector<Real>{7.0});
  EXPECT_THAT(message_of([] { synthetic_measure("documents?n=5&topics=6", 0); }), HasSubstr("topics"));
  EXPECT_THAT(message_of([] { synthetic_measure("documents?n=5&dim=2", 0); }), HasSubstr("dim"));
}

TEST(SyntheticMatrix, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(message_of([] { synthetic_matrix_shape("sentences?n=4"); }), HasSubstr("known: words, vocabulary"));
  EXPECT_THAT(message_of([] { synthetic_matrix_shape("vocabulary?n=4&m=4"); }), HasSubstr("no such key"));
  EXPECT_THAT(message_of([] { synthetic_matrix_shape("vocabulary?n=4&topics=5"); }), HasSubstr("topics"));
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
