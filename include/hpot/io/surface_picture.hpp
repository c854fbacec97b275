// Pictures of maps on surfaces: every component seen from its outer and its inner side.
//
// Orthographic, coordinates right, anterior, superior: a component whose vertices lie left of 0 on average is a left
// hemisphere, whose lateral view is from the left. Superior is up, the lateral view stands on the left. A vertex's value is
// its mass over its area; colours between vertices follow the value, linearly. Diverging colours, white at 0, symmetric up to
// the 99.9 % quantile of |values|, darker where the surface turns away from the eye.
#pragma once

#include "hpot/io/image.hpp"
#include "hpot/measure/mesh.hpp"

namespace hpot {

/// A row of two views for each component; `masses` has a value for every vertex. Local.
Raster picture_of(const Mesh& mesh, const std::vector<Real>& masses);

}  // namespace hpot
