// Samples of several clouds' points, without replacement and by weight [Efraimidis, Spirakis 2006]: the points with the largest
// log(u)/w, u uniform in (0, 1), a pure function of the seed, the cloud's number and the point's number in the input
// (random.hpp). A part of the sample may thus be drawn from every cloud, or of several together, and the parts be merged. No
// two points of a sample lie at one place. Local, on the host.
#pragma once

#include "hpot/measure/point_cloud.hpp"

namespace hpot {

/// Rows of 3 + dimension numbers: log(u)/w, number of the cloud, number of the point in its input, coordinates.
struct CloudSample {
  int dimension = 1;
  std::vector<Real> rows;

  [[nodiscard]] Index width() const { return 3 + dimension; }
  [[nodiscard]] Index points() const { return static_cast<Index>(rows.size()) / width(); }
};

/// Adds the points of positive weight of cloud number `number`, weighted by `factor` times `weights`.
void add_points(const PointCloud& cloud, const std::vector<Real>& weights, Real factor, Index number, Index seed,
                CloudSample& sample);

/// The first `count` at different places, fewer where there are no more, by cloud and point.
CloudSample best_of(const CloudSample& sample, Index count);

/// In the sample's order.
PointCloud cloud_of(const CloudSample& sample);

}  // namespace hpot
