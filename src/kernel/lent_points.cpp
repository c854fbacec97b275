#include "hpot/kernel/lent_points.hpp"

#include "hpot/kernel/registry.hpp"

#include <utility>

namespace hpot {

LentPoints lend_points(const Cost& cost, const Support& support) {
  if constexpr (clouds_are_lent) {
    if (support.cloud() != nullptr) {
      PointCloud cloud = is_of_directions(cost) ? directions_of(*support.cloud()) : *support.cloud();
      const Points points(const_cast<Real*>(cloud.coordinates->data()), cloud.points(), cloud.dimension);
      return {std::move(cloud), points};
    }
  }
  return {{}, points_of(cost, support)};
}

}  // namespace hpot
