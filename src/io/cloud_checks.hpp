// What every reader of points ends with. Local.
#pragma once

#include "hpot/measure/point_cloud.hpp"

#include <string>
#include <vector>

namespace hpot {

/// InputError where there are more than kernels number, in ints.
void check_number_of_points(Index points, const std::string& name);

/// InputError unless there are points, no more than that, in at most 4096 dimensions, all within 1e100, with weights that are not infinite.
CloudData checked_cloud(Index dimension, std::vector<Real> coordinates, std::vector<Real> weights,
                        const std::string& name);
/// All weights 1.
CloudData checked_cloud(Index dimension, std::vector<Real> coordinates, const std::string& name);

}  // namespace hpot
