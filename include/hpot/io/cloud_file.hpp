// Clouds of points in files: meshes' vertices (PLY, OBJ), lists of points (XYZ, tables, arrays), voxels of volumes,
// colours of pictures.
//
// Points stay in the file's order, and every coordinate is finite: one that is not is an InputError that names its point,
// counted from 0. At most 4096 dimensions. A name that ends in .gz is read through zlib. All of this is local.
#pragma once

#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/image.hpp"
#include "hpot/measure/grid.hpp"
#include "hpot/measure/point_cloud.hpp"

#include <string>

namespace hpot {

/// What of an array counts as what (qualifiers ?as=points&weights=last|none).
enum class CloudWeights {
  none,  // all weights are 1
  last,  // the last column holds them; NaN where there is no data
};

/// Points of an array (point, axis), weights apart; one of rank 1 is points in one dimension. `name` is for messages.
CloudData cloud_of_array(Array array, CloudWeights weights, const std::string& name);

/// Properties x, y, z of the element vertex, ascii or binary of either byte order; weights 1, whatever else vertices have.
CloudData read_ply(const std::string& path);
/// Lines `v x y z [w] [r g b]`; weights 1.
CloudData read_obj(const std::string& path);
/// One point a line, two or more numbers each; or the chemists' format: a count, a line of comment, lines `Element x y z`,
/// what follows z left out. Weights 1.
CloudData read_xyz(const std::string& path);

/// Voxels whose value is neither 0 nor NaN, weighted by it: (x, y, z) in millimetres where the grid has an affine, else by
/// spacing and origin, axes in the grid's order, slowest first.
CloudData voxels_of(const GridData& data);

/// Colours of `pixels` pixels (all where there are fewer), as points (r, g, b) of the unit cube: sRGB values / 255, weight 1
/// each. Reading order is cut into `pixels` runs of equal length, but for one; of run k it is the pixel at the fractional part
/// of k times the golden ratio of its length: evenly from everywhere, in columns too, and always the same.
CloudData colors_of(const Raster& picture, Index pixels, const std::string& name);

}  // namespace hpot
