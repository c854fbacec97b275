// Clouds: Morton order, coarse copies, spacing, and the built-in families.
#include "hpot/core/error.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/measure/random.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "reference.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

using testing::HasSubstr;
using Values = std::vector<Real>;

/// side^dimension points of a lattice, in an order that no curve has.
CloudData shuffled_lattice(int dimension, Index side, Real spacing) {
  CloudData data;
  Index n = 1;
  for (int d = 0; d < dimension; ++d) n *= side;
  std::vector<Index> numbers(n);
  std::iota(numbers.begin(), numbers.end(), Index{0});
  const RandomStream stream(1, "lattice", 0);
  std::sort(numbers.begin(), numbers.end(), [&](Index a, Index b) { return stream.bits(a) < stream.bits(b); });
  Values coordinates;
  for (Index rest : numbers) {
    data.values.push_back(static_cast<Real>(rest + 1));
    for (int d = 0; d < dimension; ++d, rest /= side) coordinates.push_back(spacing * static_cast<Real>(rest % side));
  }
  data.cloud = make_cloud(dimension, coordinates);
  return data;
}

TEST(PointCloud, MortonOrderOfALatticeTakesItBlockByBlock) {
  for (const int dimension : {1, 2, 3}) {
    const CloudData sorted = in_morton_order(shuffled_lattice(dimension, 8, 0.5));
    const Index run = Index{1} << dimension;
    for (Index begin = 0; begin < sorted.cloud.points(); begin += run) {
      for (int d = 0; d < dimension; ++d) {
        Real low = infinity, high = -infinity;
        for (Index p = begin; p < begin + run; ++p) {
          low = std::min(low, sorted.cloud.at(p, d));
          high = std::max(high, sorted.cloud.at(p, d));
        }
        ASSERT_EQ(high - low, 0.5) << "dimension " << dimension << ", run at " << begin;
      }
    }
  }
}

TEST(PointCloud, OrderLeadsBackToTheInput) {
  const CloudData given = shuffled_lattice(2, 9, 1.0);
  const CloudData sorted = in_morton_order(given);
  EXPECT_NE(*sorted.cloud.coordinates, *given.cloud.coordinates);
  EXPECT_EQ(in_input_order(sorted.cloud, *sorted.cloud.coordinates, 2), *given.cloud.coordinates);
  EXPECT_EQ(in_input_order(sorted.cloud, sorted.values), given.values);
  EXPECT_EQ(in_morton_order(sorted).values, sorted.values);
}

TEST(PointCloud, PointsAtOnePlaceKeepTheirOrder) {
  CloudData data{make_cloud(2, Values(20, 3.0)), Values(10), "one place"};
  std::iota(data.values.begin(), data.values.end(), 0.0);
  EXPECT_EQ(in_morton_order(data).values, data.values);
  EXPECT_EQ(typical_spacing(data.cloud), 0.0);
}

TEST(PointCloud, TinyAndHugeCloudsAreOrderedAsOthers) {
  const CloudData given = shuffled_lattice(2, 4, 1.0);
  const Values expected = in_morton_order(given).values;
  for (const Real scale : {1e99, 1e-300, 0x1p-1074}) {
    CloudData scaled = given;
    Values coordinates = *given.cloud.coordinates;
    for (Real& x : coordinates) x *= scale;
    scaled.cloud = make_cloud(2, coordinates);
    EXPECT_EQ(in_morton_order(scaled).values, expected) << scale;
  }
}

TEST(PointCloud, CoarseCopiesHaveTheMassAndTheMean) {
  for (const int dimension : {1, 2, 3}) {
    CloudData data =
        in_morton_order(synthetic_cloud("points?n=1003&weights=random&dim=" + std::to_string(dimension), 0));
    const Real mass = std::accumulate(data.values.begin(), data.values.end(), 0.0);
    const auto [coarse, masses] = coarsen(data.cloud, data.values);
    const Index run = Index{1} << dimension;
    EXPECT_GE(coarse.points(), (1003 + run - 1) / run);
    EXPECT_LE(coarse.points(), 1.25 * 1003 / static_cast<Real>(run));  // runs end at long steps
    EXPECT_NEAR(std::accumulate(masses.begin(), masses.end(), 0.0), mass, 1e-12 * mass);
    for (int d = 0; d < dimension; ++d) {
      Real fine_moment = 0.0, coarse_moment = 0.0;
      for (Index p = 0; p < data.cloud.points(); ++p) fine_moment += data.values[p] * data.cloud.at(p, d);
      for (Index p = 0; p < coarse.points(); ++p) coarse_moment += masses[p] * coarse.at(p, d);
      EXPECT_NEAR(coarse_moment, fine_moment, 1e-12 * mass);
    }
  }
}

TEST(PointCloud, CoarsePointsLieInHeapsNotBetweenThem) {
  Values coordinates = reference::random_values(3 * 1000, 5, 0.0, 1e-3);
  for (Index p = 0; p < 1000; ++p) coordinates[3 * p] += p % 3 == 0 ? 1.0 : 0.0;
  const CloudData data = in_morton_order({make_cloud(3, coordinates), Values(1000, 1.0), {}});
  const auto [coarse, masses] = coarsen(data.cloud, data.values);
  Real right = 0.0;
  for (Index p = 0; p < coarse.points(); ++p) {
    EXPECT_TRUE(coarse.at(p, 0) <= 1e-3 || coarse.at(p, 0) >= 1.0) << coarse.at(p, 0);
    right += coarse.at(p, 0) >= 1.0 ? masses[p] : 0.0;
  }
  EXPECT_EQ(right, 334.0);
}

TEST(PointCloud, CoarseCopiesOfEqualPointsLieWhereTheyDo) {
  const Values coordinates(2 * 100, 0.3);
  const auto [coarse, masses] = coarsen(make_cloud(2, coordinates), Values(100, 1.0));
  EXPECT_EQ(coarse.points(), 25);
  EXPECT_EQ(coarse.at(7, 1), 0.3);
}

TEST(PointCloud, LevelsEndAtTheSizeOfACoarseGrid) {
  const Support cloud = in_morton_order(synthetic_cloud("points?n=20000&dim=3", 0)).cloud;
  EXPECT_EQ(count_levels(cloud, 16), 2);  // 20000, 2500 <= 16^3
  EXPECT_EQ(count_levels(cloud, 8), 3);   // 313 <= 8^3
  EXPECT_EQ(count_levels(Support(synthetic_cloud("points?n=20000&dim=5", 0).cloud), 8), 1);
}

TEST(PointCloud, SpacingIsTheDistanceToTheNearestPoint) {
  for (const int dimension : {1, 2, 3}) {
    const Index side = dimension == 1   ? 5000
                       : dimension == 2 ? 71
                                        : 17;  // over 2048 points: neighbours along the curve
    EXPECT_NEAR(typical_spacing(in_morton_order(shuffled_lattice(dimension, side, 0.25)).cloud), 0.25, 1e-15);
  }
  CloudData twice = shuffled_lattice(2, 20, 2.0);  // every point twice
  Values doubled = *twice.cloud.coordinates;
  doubled.insert(doubled.end(), twice.cloud.coordinates->begin(), twice.cloud.coordinates->end());
  EXPECT_EQ(typical_spacing(make_cloud(2, doubled)), 2.0);
}

TEST(SyntheticPoints, AreWhatTheirShapeSays) {
  const CloudData ring = synthetic_cloud("points?shape=sphere&dim=2&n=500&seed=3", 1);
  const auto [left, right] = extent(ring.cloud, 0);
  const auto [low, high] = extent(ring.cloud, 1);
  for (Index p = 0; p < 500; ++p) {
    const Real x = (2.0 * ring.cloud.at(p, 0) - left - right) / (right - left);
    const Real y = (2.0 * ring.cloud.at(p, 1) - low - high) / (high - low);
    EXPECT_NEAR(x * x + y * y, 1.0, 0.01);
  }
  const CloudData cube = synthetic_cloud("points?dim=3&n=4000", 0);
  for (int d = 0; d < 3; ++d) {
    Real mean = 0.0;
    for (Index p = 0; p < 4000; ++p) mean += cube.cloud.at(p, d) / 4000.0;
    EXPECT_NEAR(mean, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / 4000.0));
  }
  const CloudData heaps = in_morton_order(synthetic_cloud("points?shape=clusters&n=4000", 0));
  EXPECT_LT(typical_spacing(heaps.cloud),
            0.2 * typical_spacing(in_morton_order(synthetic_cloud("points?n=4000", 0)).cloud));
}

TEST(SyntheticPoints, BadTextsAreInputErrors) {
  const auto error = [](const std::string& text) -> std::string {
    try {
      (void)synthetic_cloud(text, 0);
    } catch (const InputError& problem) {
      return problem.what();
    }
    return "";
  };
  EXPECT_THAT(error("points?shape=cube"), HasSubstr("not one of uniform, gaussian, clusters, sphere"));
  EXPECT_THAT(error("points?shape=sphere&dim=4"), HasSubstr("from 2 to 3"));
  EXPECT_THAT(error("points?n=0"), HasSubstr("n = 0"));
  EXPECT_THAT(error("points?size=4"), HasSubstr("no such key"));
  EXPECT_THAT(error("points?weights=some"), HasSubstr("not one of equal, random"));
}

}  // namespace
}  // namespace hpot
