// Pictures of grid data: what a user looks at first.
//
// A 1-D measure becomes a filled curve (512 x 256), an image itself (y downwards), a volume its three middle slices
// side by side: sagittal, coronal, axial, through the middle of the box that holds everything above 1% of the scale.
// With an affine, superior and anterior point up and the subject's left is on the left, whatever the order and
// direction of the file's axes; without one the axes are taken as x, y, z in those directions. Colours: non-negative
// data run from 0 to the 99.9% quantile of the positive values; data with negative values use a diverging map,
// symmetric about 0, up to that quantile of |values|. NaN is drawn in the background's colour, that of 0.
#pragma once

#include "hpot/io/image.hpp"

namespace hpot {

/// Pixels are enlarged by an integer, so that the picture is at least 256 high; they keep their physical aspect,
/// nearest neighbour, where the spacing differs between axes (up to 16 to 1). A picture longer than 8192 pixels is
/// enlarged less. `values` has grid.points() entries. Local.
Raster picture_of(const Grid& grid, const std::vector<Real>& values);

/// Rasters side by side, `columns` (at least 1) in a row, each in a cell as large as the largest, separated by a thin
/// line. Empty for no rasters.
Raster contact_sheet(const std::vector<Raster>& rasters, int columns);

}  // namespace hpot
