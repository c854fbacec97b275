#include "hpot/measure/point_cloud.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

constexpr Index whole_search = 2048;  // points of a cloud in which neighbours are sought among all
constexpr Index neighbours = 32;      // on each side, elsewhere
constexpr Index stretch = 64;         // consecutive points in which a typical step is sought

/// Interleaved bits of integer coordinates, as many as fit.
std::vector<std::uint64_t> morton_keys(const PointCloud& cloud) {
  constexpr int most_axes = 8;
  const int axes = std::min(cloud.dimension, most_axes);
  const int bits = std::min(21, 63 / axes);
  Real side = 0.0;
  std::vector<Real> low(axes);
  for (int d = 0; d < axes; ++d) {
    const auto [least, most] = extent(cloud, d);
    low[d] = least;
    side = std::max(side, most - least);
  }
  const Real cells = std::exp2(bits);
  std::vector<std::uint64_t> keys(cloud.points());
  for (Index p = 0; p < cloud.points(); ++p) {
    for (int d = 0; d < axes; ++d) {
      const Real fraction = side > 0.0 ? (cloud.at(p, d) - low[d]) / side : 0.0;  // at most 1, also of tiny sides
      const auto cell = static_cast<std::uint64_t>(std::min(fraction * cells, cells - 1.0));
      for (int bit = 0; bit < bits; ++bit) keys[p] |= (cell >> bit & 1U) << (bit * axes + axes - 1 - d);
    }
  }
  return keys;
}

Real squared_distance(const PointCloud& cloud, Index p, Index q) {
  Real sum = 0.0;
  for (int d = 0; d < cloud.dimension; ++d) {
    const Real difference = cloud.at(p, d) - cloud.at(q, d);
    sum += difference * difference;
  }
  return sum;
}

/// The median of the squares of the steps between the points of a stretch, of those that are not 0; infinity without any.
Real typical_step(const PointCloud& cloud, Index number) {
  std::vector<Real> steps;
  for (Index p = number * stretch; p + 1 < std::min((number + 1) * stretch, cloud.points()); ++p) {
    const Real step = squared_distance(cloud, p, p + 1);
    if (step > 0.0) steps.push_back(step);
  }
  if (steps.empty()) return infinity;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
}

}  // namespace

PointCloud make_cloud(int dimension, std::vector<Real> coordinates) {
  return {dimension, std::make_shared<const std::vector<Real>>(std::move(coordinates)), nullptr};
}

std::string PointCloud::describe() const {
  return std::to_string(points()) + " points in " + std::to_string(dimension) +
         (dimension == 1 ? " dimension" : " dimensions");
}

CloudData in_morton_order(CloudData data) {
  const PointCloud& cloud = data.cloud;
  const Index n = cloud.points();
  const auto keys = morton_keys(cloud);
  std::vector<Index> from(n);
  std::iota(from.begin(), from.end(), Index{0});
  std::stable_sort(from.begin(), from.end(), [&](Index p, Index q) { return keys[p] < keys[q]; });
  std::vector<Real> coordinates(cloud.coordinates->size());
  std::vector<Real> values(n);
  std::vector<Index> order(n);
  for (Index p = 0; p < n; ++p) {
    std::copy_n(cloud.coordinates->begin() + from[p] * cloud.dimension, cloud.dimension,
                coordinates.begin() + p * cloud.dimension);
    values[p] = data.values[from[p]];
    order[p] = cloud.order == nullptr ? from[p] : (*cloud.order)[from[p]];
  }
  PointCloud sorted = make_cloud(cloud.dimension, std::move(coordinates));
  sorted.order = std::make_shared<const std::vector<Index>>(std::move(order));
  return {std::move(sorted), std::move(values), std::move(data.name)};
}

std::vector<Real> in_input_order(const PointCloud& cloud, const std::vector<Real>& values, Index width) {
  if (cloud.order == nullptr || values.empty()) return values;
  std::vector<Real> ordered(values.size());
  for (Index p = 0; p < cloud.points(); ++p)
    std::copy_n(values.begin() + p * width, width, ordered.begin() + (*cloud.order)[p] * width);
  return ordered;
}

PointCloud directions_of(const PointCloud& cloud) {
  std::vector<Real> coordinates = *cloud.coordinates;
  for (auto point = coordinates.begin(); point != coordinates.end(); point += cloud.dimension) {
    Real largest = 0.0, square = 0.0;  // scaled, so that no square over- or underflows
    for (int d = 0; d < cloud.dimension; ++d) largest = std::max(largest, std::abs(point[d]));
    if (largest == 0.0) continue;
    for (int d = 0; d < cloud.dimension; ++d) square += (point[d] / largest) * (point[d] / largest);
    for (int d = 0; d < cloud.dimension; ++d) point[d] = point[d] / largest / std::sqrt(square);
  }
  PointCloud directions = make_cloud(cloud.dimension, std::move(coordinates));
  directions.order = cloud.order;
  return directions;
}

std::pair<PointCloud, std::vector<Real>> coarsen(const PointCloud& cloud, const std::vector<Real>& weights) {
  const Index most = Index{1} << cloud.dimension;
  const Index n = cloud.points();
  std::vector<Real> coordinates;
  std::vector<Real> masses;
  Real long_step = 0.0;  // squared
  Index stretch_of_step = -1;
  for (Index begin = 0, end = 0; begin < n; begin = end) {
    if (begin / stretch != stretch_of_step) {
      stretch_of_step = begin / stretch;
      long_step = 16.0 * typical_step(cloud, stretch_of_step);
    }
    end = begin + 1;
    while (end < std::min(begin + most, n) && squared_distance(cloud, end - 1, end) <= long_step) ++end;
    const Real mass = std::accumulate(weights.begin() + begin, weights.begin() + end, 0.0);
    for (int d = 0; d < cloud.dimension; ++d) {
      const Real first = cloud.at(begin, d);
      Real moment = 0.0;  // of offsets from the first point, so that equal points stay where they are
      for (Index p = begin; p < end; ++p)
        moment += (mass > 0.0 ? weights[p] / mass : 1.0 / static_cast<Real>(end - begin)) * (cloud.at(p, d) - first);
      coordinates.push_back(first + moment);
    }
    masses.push_back(mass);
  }
  return {make_cloud(cloud.dimension, std::move(coordinates)), std::move(masses)};
}

Real typical_spacing(const PointCloud& cloud) {
  const Index n = cloud.points();
  const Index reach = n <= whole_search ? n : neighbours;
  std::vector<Real> nearest;
  nearest.reserve(n);
  for (Index p = 0; p < n; ++p) {
    Real least = infinity;
    for (Index q = std::max<Index>(0, p - reach); q < std::min(n, p + reach + 1); ++q) {
      const Real distance = squared_distance(cloud, p, q);
      if (distance > 0.0) least = std::min(least, distance);
    }
    if (least < infinity) nearest.push_back(least);
  }
  if (nearest.empty()) return 0.0;
  const auto middle = nearest.begin() + static_cast<std::ptrdiff_t>(nearest.size() / 2);
  std::nth_element(nearest.begin(), middle, nearest.end());
  return std::sqrt(*middle);
}

std::pair<Real, Real> extent(const PointCloud& cloud, int axis) {
  Real least = infinity;
  Real most = -infinity;
  for (Index p = 0; p < cloud.points(); ++p) {
    least = std::min(least, cloud.at(p, axis));
    most = std::max(most, cloud.at(p, axis));
  }
  return {least, most};
}

}  // namespace hpot
