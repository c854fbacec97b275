#include "hpot/io/cloud_picture.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Index side = 384;  // pixels

/// A square around all clouds.
struct Box {
  Real low[2] = {infinity, infinity};
  Real length = 0.0;
  explicit Box(const std::vector<Support>& clouds) {
    Real high[2] = {-infinity, -infinity};
    for (int d = 0; d < 2; ++d) {
      for (const Support& cloud : clouds) {
        const auto [least, most] = d < cloud.dimension() ? cloud.extent(d) : std::pair(0.0, 0.0);
        low[d] = std::min(low[d], least);
        high[d] = std::max(high[d], most);
      }
      length = std::max(length, high[d] - low[d]);
    }
    for (int d = 0; d < 2; ++d) low[d] -= 0.5 * (length - (high[d] - low[d]));
  }
  [[nodiscard]] Index pixel(int axis, Real x) const {
    if (!(length > 0.0)) return side / 2;
    return std::clamp<Index>(static_cast<Index>((x - low[axis]) / length * static_cast<Real>(side)), 0, side - 1);
  }
};

}  // namespace

std::vector<Raster> pictures_of_clouds(const std::vector<Support>& clouds,
                                       const std::vector<std::vector<Real>>& weights) {
  const Box box(clouds);
  const Grid square = make_grid({side, side}, {1.0, 1.0});
  std::vector<Raster> pictures;
  for (std::size_t k = 0; k < clouds.size(); ++k) {
    const PointCloud& cloud = *clouds[k].cloud();
    std::vector<Real> mass(square.points(), 0.0);
    for (Index p = 0; p < cloud.points(); ++p) {
      const Index x = box.pixel(0, cloud.at(p, 0));
      const Index y = cloud.dimension > 1 ? box.pixel(1, cloud.at(p, 1)) : side / 2;
      mass[(side - 1 - y) * side + x] += weights[k][p];
    }
    for (Real& value : mass) value = std::sqrt(value);  // so that single points show beside heaps
    pictures.push_back(picture_of(square, mass));
  }
  return pictures;
}

}  // namespace hpot
