// Built-in clouds of points, the same on any number of ranks and any machine (random.hpp).
//
//   synthetic:points?key=value&...      e.g. synthetic:points?n=20000&dim=3&shape=clusters&item=1
//
// shape   uniform   in the unit cube
//         gaussian  around a random centre, with random standard deviations along the axes
//         clusters  32 tight heaps (standard deviation 0.004) around random centres, their shares random
//         sphere    on a thin ellipsoid's surface (dim 2: a ring) with random half-axes
// n (1000) points, dim (2; 1 to 1000; sphere 2 or 3), weights=equal or random (uniform in [0, 2), a fifth of them 0); seed (0),
// count (1), item.
#pragma once

#include "hpot/measure/point_cloud.hpp"

namespace hpot {

/// Whether `source`, the text after "synthetic:", names a cloud.
bool is_synthetic_cloud(const std::string& source);

/// How many clouds it stands for, as synthetic_count. Local; InputError for unknown keys and values.
Index synthetic_cloud_count(const std::string& source);

/// Cloud number `item`, as synthetic_measure, in the order in which its points are made. Local; InputError likewise.
CloudData synthetic_cloud(const std::string& source, Index item);

}  // namespace hpot
