// Pictures of clouds: their mass in the cells of a square, seen along the axes that are left out.
#pragma once

#include "hpot/io/picture.hpp"
#include "hpot/measure/support.hpp"

namespace hpot {

/// One picture a cloud, of the same box and scale: the first axis runs to the right, the second up; clouds on a line lie in
/// the middle. `weights[k]` has a value for every point of clouds[k]. Local.
std::vector<Raster> pictures_of_clouds(const std::vector<Support>& clouds,
                                       const std::vector<std::vector<Real>>& weights);

}  // namespace hpot
