// A built-in surface and maps on it, the same on any number of ranks and any machine (random.hpp; values to rounding).
//
//   synthetic:sphere?key=value&...     e.g. synthetic:sphere?subdivisions=5&blobs=3&count=4&seed=1
//
// The icosahedron, each triangle cut into four `subdivisions` times (4; 0 to 9): 10 * 4^subdivisions + 2 vertices at the
// distance `radius` (50) from the origin; 5 subdivisions are FreeSurfer's fsaverage5 in size. As a measure: a map on these
// vertices, the area around a vertex times a sum of `blobs` (2) bumps exp(-angle^2/(2 width^2)), `width` (0.25) in radians,
// around places of their own for every item, less than a radian from those that all items share. seed (0), count (1), item.
#pragma once

#include "hpot/measure/mesh.hpp"

namespace hpot {

/// Whether `source`, the text after "synthetic:", names a surface, or a map on one.
bool is_synthetic_surface(const std::string& source);

/// How many maps it stands for, as synthetic_count. Local; InputError for unknown keys and values.
Index synthetic_surface_count(const std::string& source);

Index synthetic_surface_vertices(const std::string& source);
MeshData synthetic_surface(const std::string& source);
/// Map number `item`, a value for every vertex.
std::vector<Real> synthetic_surface_map(const std::string& source, Index item);

}  // namespace hpot
