// Clouds of points, and the order along Morton's curve that makes blocks of consecutive points compact.
//
// A cloud is kept in Morton order [Morton 1966]: coordinates, scaled to the bounding box by its longest side, as integers
// whose bits are interleaved, slowest axis first; equal keys in the order of the input. Blocks of rows, tiles of kernels and
// coarse levels are runs of consecutive points. `order` leads back to the input. Copies share their arrays.
#pragma once

#include "hpot/core/types.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hpot {

struct PointCloud {
  int dimension = 1;
  std::shared_ptr<const std::vector<Real>> coordinates;  // (point, axis), row-major, in the data's own unit
  std::shared_ptr<const std::vector<Index>> order;       // number in the input of every point; null: as they are

  [[nodiscard]] Index points() const { return static_cast<Index>(coordinates->size()) / dimension; }
  [[nodiscard]] Real at(Index point, int axis) const { return (*coordinates)[point * dimension + axis]; }
  /// "1000 points in 3 dimensions".
  [[nodiscard]] std::string describe() const;
};

/// A cloud in its own order. `coordinates` must be finite, their differences too, a multiple of `dimension` of them.
PointCloud make_cloud(int dimension, std::vector<Real> coordinates);

/// What a file gives: points in its order, and their weights.
struct CloudData {
  PointCloud cloud;
  std::vector<Real> values;  // NaN where there is no data
  std::string name;          // for messages and result.h5
};

/// The same cloud in Morton order, its values moved along.
CloudData in_morton_order(CloudData data);

/// `values` of a cloud's points, in the order of the input; `width` numbers a point.
std::vector<Real> in_input_order(const PointCloud& cloud, const std::vector<Real>& values, Index width = 1);

/// Runs of up to 2^dimension points (Morton order), as one point each: at the mean of those that have weight, else of all,
/// with their mass. A run ends where the next point is over 4 times as far as is usual there, so that none lies in the gap
/// between heaps: mass that is put there takes the fine cloud some hundred sweeps to bring back. Clouds of more than three
/// dimensions have no coarse copies.
std::pair<PointCloud, std::vector<Real>> coarsen(const PointCloud& cloud, const std::vector<Real>& weights);

/// The median distance of points to the nearest other one at another place, sought among the 32 before and after in Morton
/// order, all of them in small clouds; 0 where all points are one. In Morton order only.
Real typical_spacing(const PointCloud& cloud);

/// Every point over its length; those at the origin stay there.
PointCloud directions_of(const PointCloud& cloud);

/// Smallest and largest coordinate along an axis.
std::pair<Real, Real> extent(const PointCloud& cloud, int axis);

}  // namespace hpot
