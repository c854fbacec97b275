// Barycenters of clouds with a free support: closed forms, a step written out in long double, samples.
#include "hpot/measure/cloud_sample.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/solver/solve_barycenter.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

using test::Values;

BarycenterSettings settings_for(Real epsilon, Real tolerance, bool debiased) {
  BarycenterSettings settings;
  settings.epsilon = {epsilon, "cost"};
  settings.stopping.tolerance = tolerance;
  settings.free_support = true;
  settings.debiased = debiased;
  return settings;
}

CloudData random_cloud(const std::string& source, Index item) {
  CloudData cloud = in_morton_order(synthetic_cloud(source, item));
  cloud.values = test::scaled_to_mass(cloud.values, 1.0);
  return cloud;
}

PointCloud translate(const PointCloud& cloud, const Values& by) {
  Values coordinates = *cloud.coordinates;
  for (std::size_t n = 0; n < coordinates.size(); ++n) coordinates[n] += by[n % by.size()];
  return make_cloud(cloud.dimension, coordinates);
}

/// All of `clouds` on this rank.
FreeSupportData data_of(const CloudData& start, const std::vector<CloudData>& clouds, const Values& lambda) {
  FreeSupportData data{start.cloud, start.values, {}, {}, lambda};
  for (const CloudData& cloud : clouds) {
    data.clouds.push_back(cloud.cloud);
    data.measures.push_back(cloud.values);
  }
  return data;
}

BarycenterSolution solve_alone(const BarycenterSettings& settings, const FreeSupportData& data) {
  const ProcessGrid alone(test::alone(), {1, 1});
  return solve_free_support(alone, settings, data, {});
}

Values mean_of(const PointCloud& cloud, const Values& weights) {
  Values mean(cloud.dimension, 0.0);
  for (Index p = 0; p < cloud.points(); ++p) {
    for (int d = 0; d < cloud.dimension; ++d) mean[d] += weights[p] * cloud.at(p, d);
  }
  return mean;
}

Real variance_of(const PointCloud& cloud, const Values& weights) {
  Real sum = 0.0;
  const Real mean = mean_of(cloud, weights)[0];
  for (Index p = 0; p < cloud.points(); ++p) sum += weights[p] * std::pow(cloud.at(p, 0) - mean, 2);
  return sum;
}

/// T of the converged plan between two clouds, by loops in long double.
Values map_between(const CloudData& x, const CloudData& y, Real epsilon) {
  const Index n = x.cloud.points(), m = y.cloud.points();
  const int dimension = x.cloud.dimension;
  std::vector<long double> kernel(n * m), u(n, 1.0L), v(m, 1.0L);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < m; ++j) {
      long double cost = 0.0L;
      for (int d = 0; d < dimension; ++d)
        cost += std::pow(static_cast<long double>(x.cloud.at(i, d)) - y.cloud.at(j, d), 2);
      kernel[i * m + j] = std::exp(-cost / epsilon);
    }
  }
  for (int sweep = 0; sweep < 800; ++sweep) {
    for (Index j = 0; j < m; ++j) {
      long double sum = 0.0L;
      for (Index i = 0; i < n; ++i) sum += x.values[i] * u[i] * kernel[i * m + j];
      v[j] = 1.0L / sum;
    }
    for (Index i = 0; i < n; ++i) {
      long double sum = 0.0L;
      for (Index j = 0; j < m; ++j) sum += y.values[j] * v[j] * kernel[i * m + j];
      u[i] = 1.0L / sum;
    }
  }
  Values map(n * dimension, 0.0);
  for (Index i = 0; i < n; ++i) {
    for (int d = 0; d < dimension; ++d) {
      long double sum = 0.0L;
      for (Index j = 0; j < m; ++j) sum += u[i] * kernel[i * m + j] * v[j] * y.values[j] * y.cloud.at(j, d);
      map[i * dimension + d] = static_cast<Real>(sum);
    }
  }
  return map;
}

std::vector<CloudData> three_clouds() {
  return {random_cloud("points?n=30&shape=gaussian&weights=random&count=3", 0),
          random_cloud("points?n=25&shape=sphere&count=3", 1), random_cloud("points?n=20&count=3", 2)};
}

TEST(FreeSupport, StepsAreThoseOfLongDouble) {
  const auto clouds = three_clouds();
  const Values lambda{0.5, 0.2, 0.3};
  const CloudData start = random_cloud("points?n=24&seed=7&weights=random", 0);
  for (const bool debiased : {false, true}) {
    BarycenterSettings settings = settings_for(0.05, 1e-11, debiased);
    settings.acceleration.type = "none";
    FreeSupportData data = data_of(start, clouds, lambda);
    data.debiased = debiased;
    TransportSettings pair = settings.of_pair();
    pair.schedule.stage_tolerance = 1e-12;  // of the first solve, too
    FreeSupportMap map(ProcessGrid(test::alone(), {1, 1}), pair, data);
    map.set_epsilon(0.05);
    map.evaluate();
    Values expected = debiased ? *start.cloud.coordinates : Values(start.cloud.coordinates->size(), 0.0);
    for (std::size_t k = 0; k < clouds.size(); ++k) {
      const Values image = map_between(start, clouds[k], 0.05);
      for (std::size_t n = 0; n < image.size(); ++n) expected[n] += lambda[k] * image[n];
    }
    if (debiased) {
      const Values image = map_between(start, start, 0.05);
      for (std::size_t n = 0; n < image.size(); ++n) expected[n] -= image[n];
    }
    const Values image = host_values(map.image()[0]);
    const Index points = start.cloud.points();
    for (Index p = 0; p < points; ++p) {
      for (int d = 0; d < 2; ++d) EXPECT_NEAR(image[d * points + p], expected[p * 2 + d], 1e-9) << debiased;
    }
  }
}

TEST(FreeSupport, OfOneMeasureIsThePlainMapsFixedPointAndTheDebiasedMeasureItself) {
  const CloudData cloud = random_cloud("points?n=40&shape=gaussian", 0);
  const FreeSupportData data = data_of(cloud, {cloud}, {1.0});
  const auto plain = solve_alone(settings_for(0.01, 1e-5, false), data);
  EXPECT_EQ(plain.outcome.reason, StopReason::converged);
  const Values fixed = map_between({plain.free.points, cloud.values, ""}, cloud, 0.01);
  Real square = 0.0;
  for (std::size_t n = 0; n < fixed.size(); ++n) square += std::pow(fixed[n] - (*plain.free.points.coordinates)[n], 2);
  EXPECT_LT(std::sqrt(square / 40.0), 2e-5);
  EXPECT_LT(variance_of(plain.free.points, cloud.values), variance_of(cloud.cloud, cloud.values));
  const auto debiased = solve_alone(settings_for(0.01, 1e-8, true), data);
  EXPECT_EQ(debiased.outcome.reason, StopReason::converged);
  EXPECT_LT(reference::largest_difference(*debiased.free.points.coordinates, *cloud.cloud.coordinates), 1e-8);
}

TEST(FreeSupport, OfTranslatesIsTheTranslateByTheMean) {
  const CloudData cloud = random_cloud("points?n=30&shape=sphere&dim=3&weights=random", 0);
  const Values lambda{0.2, 0.7, 0.1};
  const std::vector<Values> ways{{1.0, 0.0, -2.0}, {0.0, 3.0, 0.5}, {-4.0, 0.1, 0.0}};
  std::vector<CloudData> clouds;
  Values way(3, 0.0);
  for (std::size_t k = 0; k < ways.size(); ++k) {
    clouds.push_back({translate(cloud.cloud, ways[k]), cloud.values, ""});
    for (int d = 0; d < 3; ++d) way[d] += lambda[k] * ways[k][d];
  }
  BarycenterSettings settings = settings_for(0.05, 1e-9, true);
  settings.schedule.stage_tolerance = 1e-10;  // one step is then all
  const auto debiased = solve_alone(settings, data_of(clouds[0], clouds, lambda));
  EXPECT_EQ(debiased.outcome.reason, StopReason::converged);
  EXPECT_LT(reference::largest_difference(*debiased.free.points.coordinates, *translate(cloud.cloud, way).coordinates),
            1e-7);
}

TEST(FreeSupport, HasTheMeanOfTheMeans) {
  const auto clouds = three_clouds();
  const Values lambda{0.5, 0.2, 0.3};
  const CloudData start = random_cloud("points?n=32&seed=3", 0);
  for (const bool debiased : {false, true}) {
    const auto solution = solve_alone(settings_for(0.02, 1e-4, debiased), data_of(start, clouds, lambda));
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    const Values mean = mean_of(solution.free.points, start.values);
    for (int d = 0; d < 2; ++d) {
      Real expected = 0.0;
      for (std::size_t k = 0; k < clouds.size(); ++k)
        expected += lambda[k] * mean_of(clouds[k].cloud, clouds[k].values)[d];
      EXPECT_NEAR(mean[d], expected, 4e-5);
    }
    for (const Real error : solution.result.errors.marginal) EXPECT_LT(error, 1e-4);
    EXPECT_LT(solution.free.movement, 1e-4);
    EXPECT_LT(solution.free.gap, 1e-4);
    EXPECT_NEAR(solution.free.objective, solution.free.descent.back().objective, 1e-5);
  }
}

/// Quantiles of a normal density, of equal weight, by bisection of erfc.
CloudData normal_quantiles(Index n, Real mean, Real deviation) {
  Values x;
  for (Index i = 0; i < n; ++i) {
    Real low = -10.0, high = 10.0;
    const Real share = (static_cast<Real>(i) + 0.5) / static_cast<Real>(n);
    for (int step = 0; step < 80; ++step) {
      const Real middle = 0.5 * (low + high);
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
    }
    x.push_back(mean + deviation * low);
  }
  return {make_cloud(1, x), Values(n, 1.0 / static_cast<Real>(n)), ""};
}

/// eps large against the spacing: plans are those of the densities. With e = eps/4, variances v_k and S of the barycenter,
/// plain S = sum lambda_k sqrt(e^2 + S v_k) - e, debiased sqrt(e^2 + S^2) = sum lambda_k sqrt(e^2 + S v_k).
TEST(FreeSupport, OfNormalCloudsHasTheVarianceOfTheClosedForm) {
  const Index n = 100;
  const Values lambda{0.6, 0.4}, deviations{1.0, 1.6};
  const Real epsilon = 0.8, e = epsilon / 4.0;
  const std::vector<CloudData> clouds{normal_quantiles(n, -1.0, deviations[0]),
                                      normal_quantiles(n, 2.0, deviations[1])};
  for (const bool debiased : {false, true}) {
    Real s = 1.0;
    for (int step = 0; step < 500; ++step) {
      Real sum = 0.0;
      for (std::size_t k = 0; k < 2; ++k)
        sum += lambda[k] * std::sqrt(e * e + s * variance_of(clouds[k].cloud, clouds[k].values));
      s = debiased ? std::sqrt(sum * sum - e * e) : sum - e;
    }
    const auto solution = solve_alone(settings_for(epsilon, 1e-4, debiased), data_of(clouds[0], clouds, lambda));
    EXPECT_EQ(solution.outcome.reason, StopReason::converged);
    EXPECT_NEAR(variance_of(solution.free.points, clouds[0].values) / s, 1.0, 0.01) << debiased;
    EXPECT_NEAR(mean_of(solution.free.points, clouds[0].values)[0], 0.2, 2e-3);
  }
}

TEST(FreeSupport, OnALineAtSmallEpsAveragesQuantiles) {
  const Index n = 16;
  std::vector<CloudData> clouds;
  std::vector<Values> sorted;
  for (Index k = 0; k < 2; ++k) {
    clouds.push_back(random_cloud("points?n=16&dim=1&count=2&seed=5", k));
    sorted.push_back(*clouds.back().cloud.coordinates);
    std::sort(sorted.back().begin(), sorted.back().end());
  }
  const Values lambda{0.3, 0.7};
  const auto solution = solve_alone(settings_for(2e-4, 1e-4, true), data_of(clouds[0], clouds, lambda));
  EXPECT_EQ(solution.outcome.reason, StopReason::converged);
  Values points = *solution.free.points.coordinates;
  std::sort(points.begin(), points.end());
  for (Index i = 0; i < n; ++i) EXPECT_NEAR(points[i], 0.3 * sorted[0][i] + 0.7 * sorted[1][i], 4e-3) << i;
}

TEST(FreeSupport, PlainStepsNeverRaiseTheObjective) {
  BarycenterSettings settings = settings_for(0.02, 1e-4, false);
  settings.acceleration.type = "none";
  const CloudData start = random_cloud("points?n=32&seed=3", 0);
  const auto solution = solve_alone(settings, data_of(start, three_clouds(), {0.5, 0.2, 0.3}));
  const auto& descent = solution.free.descent;
  ASSERT_GT(descent.size(), 5U);
  EXPECT_LT(descent.back().objective, descent.front().objective);
  for (std::size_t n = 1; n < descent.size(); ++n)
    EXPECT_LE(descent[n].objective, descent[n - 1].objective + 1e-3 * descent[n].marginal_error) << n;
}

TEST(CloudSamples, AreWithoutReplacementOfDifferentPlacesAndMergeInParts) {
  const CloudData a = random_cloud("points?n=30&weights=random", 0);
  CloudData b = a;  // at the same places
  b.values = Values(30, 1.0 / 30.0);
  CloudSample whole{2, {}}, of_a{2, {}}, of_b{2, {}};
  add_points(a.cloud, a.values, 0.5, 0, 1, whole);
  add_points(b.cloud, b.values, 0.5, 1, 1, whole);
  add_points(a.cloud, a.values, 0.5, 0, 1, of_a);
  add_points(b.cloud, b.values, 0.5, 1, 1, of_b);
  for (const Index count : {1, 12, 30, 100}) {
    const CloudSample best = best_of(whole, count);
    EXPECT_EQ(best.points(), std::min<Index>(count, 30));
    CloudSample parts = best_of(of_a, count);
    const CloudSample more = best_of(of_b, count);
    parts.rows.insert(parts.rows.end(), more.rows.begin(), more.rows.end());
    EXPECT_EQ(best_of(parts, count).rows, best.rows);
  }
}

TEST(CloudSamples, TakeHeavyPointsInProportionToTheirWeight) {
  const Index n = 4000;
  Values coordinates(n), weights(n);
  for (Index p = 0; p < n; ++p) {
    coordinates[p] = static_cast<Real>(p);
    weights[p] = p < n / 2 ? 3.0 : 1.0;
  }
  CloudSample sample{1, {}};
  add_points(make_cloud(1, coordinates), weights, 1.0, 0, 5, sample);
  const PointCloud drawn = cloud_of(best_of(sample, 200));
  Index heavy = 0;
  for (Index p = 0; p < drawn.points(); ++p) heavy += drawn.at(p, 0) < static_cast<Real>(n / 2) ? 1 : 0;
  EXPECT_NEAR(static_cast<Real>(heavy), 150.0, 20.0);  // standard deviation 6
}

}  // namespace
}  // namespace hpot
