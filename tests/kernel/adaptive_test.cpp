// The adaptive operator is one of the two that it stands for, at each eps and precision; what the same estimate of pairs says of
// coarse copies.
#include "hpot/kernel/adaptive.hpp"
#include "hpot/kernel/registry.hpp"
#include "hpot/measure/pyramid.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hpot {
namespace {

using reference::Values;

constexpr Index n = 1500, m = 1200;

Points random_points(Index count, int dimension, unsigned seed) {
  const Points points("points", count, dimension);
  const Values given = reference::random_values(count * dimension, seed, 0.0, 1.0);
  const auto host = Kokkos::create_mirror_view(points);
  std::copy(given.begin(), given.end(), host.data());
  Kokkos::deep_copy(points, host);
  return points;
}

struct Operators {
  std::unique_ptr<KernelOperator> adaptive, dense, truncated;
};
Operators operators(const Cost& cost, int dimension, Real cut) {
  const Points x = random_points(n, dimension, 1), y = random_points(m, dimension, 2);
  return {make_adaptive_operator(cost, x, y, {0, n}, {0, m}, cut), make_dense_operator(cost, x, y, {0, n}, {0, m}),
          make_truncated_operator(cost, x, y, {0, n}, {0, m}, cut)};
}

Values softmin_of(KernelOperator& op, Real epsilon, Precision precision) {
  op.prepare(epsilon);
  op.set_precision(precision);
  const Field s("s", 1, n);
  op.softmin(Side::source, reference::field_of(Values(m, -std::log(static_cast<Real>(m)))), s);
  return reference::values_of(s);
}

TEST(AdaptiveOperator, TakesEveryTermAtLargeEpsilonAndNearOnesAtSmall) {
  for (const Cost& cost : {Cost{SquaredEuclidean{}}, Cost{Euclidean{}}, Cost{PowerAxes{1.5}}}) {
    for (const int dimension : {1, 2, 3}) {
      Operators of = operators(cost, dimension, 1e-15);
      for (const Precision precision : {Precision::full, Precision::mixed}) {
        EXPECT_EQ(softmin_of(*of.adaptive, 1.0, precision), softmin_of(*of.dense, 1.0, precision)) << name(cost);
        EXPECT_EQ(of.adaptive->softmin_excess(), 0.0);
        EXPECT_TRUE(of.adaptive->has_sweep());
        EXPECT_EQ(softmin_of(*of.adaptive, 1e-4, precision), softmin_of(*of.truncated, 1e-4, precision)) << name(cost);
        EXPECT_EQ(of.adaptive->softmin_excess(), of.truncated->softmin_excess());
        EXPECT_FALSE(of.adaptive->has_sweep());
      }
    }
  }
}

TEST(AdaptiveOperator, TakesEveryTermWhereNothingMayBeLeftOut) {
  Operators of = operators(SquaredEuclidean{}, 2, 0.0);
  EXPECT_EQ(softmin_of(*of.adaptive, 1e-4, Precision::full), softmin_of(*of.dense, 1e-4, Precision::full));
}

TEST(AdaptiveOperator, ExtremaAndMeanCostsAreThoseOfAllPairs) {
  Operators of = operators(SquaredEuclidean{}, 3, 1e-15);
  const auto results = [](KernelOperator& op) {
    op.prepare(infinity);
    std::vector<Values> all;
    const Field out("out", 1, n);
    op.average_cost(Side::source, reference::field_of(Values(m, 0.0)), out);
    all.push_back(reference::values_of(out));
    op.hard_min(Side::source, reference::field_of(reference::random_values(m, 3, -0.1, 0.1)), out);
    all.push_back(reference::values_of(out));
    op.hard_max(Side::source, reference::field_of(reference::random_values(m, 4, -0.1, 0.1)), out);
    all.push_back(reference::values_of(out));
    return all;
  };
  const auto found = results(*of.adaptive), expected = results(*of.dense);
  for (std::size_t k = 0; k < expected.size(); ++k)
    EXPECT_LT(reference::largest_difference(found[k], expected[k]), 1e-13) << k;
}

PointCloud synthetic(const std::string& text, Index item) {
  return in_morton_order(synthetic_cloud("points?count=2&" + text, item)).cloud;
}

struct Coarsening {
  Real neighbours, finer_below;
};
Coarsening coarsening(const std::string& source, const std::string& target) {
  const Support x = synthetic(source, 0), y = synthetic(target, 1);
  const Real neighbours = neighbour_cost(SquaredEuclidean{}, coarsen(y, Values(y.points(), 1.0)).first);
  return {neighbours, finer_below(SquaredEuclidean{}, x, y, neighbours)};
}

TEST(FinerBelow, IsTheNeighbourCostOfCloudsThatFillSpaceOrASurface) {
  for (const char* cloud : {"n=8000&shape=uniform", "n=8000&shape=uniform&dim=3", "n=8000&shape=sphere&dim=3",
                            "n=8000&shape=gaussian&dim=3"}) {
    const Coarsening of = coarsening(cloud, cloud);
    EXPECT_EQ(of.finer_below, of.neighbours) << cloud;
  }
  const Coarsening mixed =
      coarsening("n=4000&shape=clusters&dim=3", "n=8000&shape=uniform&dim=3");  // the larger part of the pairs
  EXPECT_EQ(mixed.finer_below, mixed.neighbours);
}

TEST(FinerBelow, IsALargerCostInHeapsAndLessThanThatOfGoingBetweenThem) {
  for (const char* cloud : {"n=4000&shape=clusters", "n=4000&shape=clusters&dim=3"}) {
    const Coarsening of = coarsening(cloud, cloud);
    EXPECT_GE(of.finer_below, 4.0 * of.neighbours) << cloud;
    EXPECT_LT(of.finer_below, 0.1) << cloud;
    EXPECT_EQ(std::exp2(std::round(std::log2(of.finer_below / of.neighbours))), of.finer_below / of.neighbours);
  }
}

TEST(FinerBelow, EndsWhereAllPointsAreOne) {
  const Support one = make_cloud(3, Values(3 * 5000, 1.0));
  EXPECT_EQ(finer_below(SquaredEuclidean{}, one, one, 0.0), 0.0);
  EXPECT_EQ(finer_below(SquaredEuclidean{}, one, one, 1e-300), 1e-300);
}

}  // namespace
}  // namespace hpot
