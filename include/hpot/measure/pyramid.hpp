// Coarser copies of a grid and of what lives on it, for multiscale solves. On the host, local unless marked.
//
// A level halves the resolution of every axis whose spacing is within a factor 1.5 of the smallest (so that anisotropic
// grids become isotropic first); a coarse cell holds the mass of its fine cells and sits at the centre of a full one.
#pragma once

#include "hpot/measure/rows.hpp"

namespace hpot {

/// The next coarser grid, or the same grid when no axis can be halved.
Grid coarsen(const Grid& grid);

/// Masses of the coarse cells; `fine` has fine.points() values.
std::vector<Real> coarsen(const Grid& grid, const std::vector<Real>& fine);

/// The same of owned rows, to those owned of the coarse grid: bit by bit, since a coarse plane adds sums over fine planes, in
/// their order. Planes of coarse cells go to where they are needed. Collective along rows.
std::vector<Real> coarsen(const Grid& grid, const OwnedRows& rows, const OwnedRows& coarse_rows,
                          const std::vector<Real>& fine);

/// grid, coarsen(grid), ... until the longest side is at most `smallest_side`.
std::vector<Grid> make_levels(const Grid& grid, Index smallest_side);

/// The next coarser level of a measure, of either kind (point_cloud.hpp).
std::pair<Support, std::vector<Real>> coarsen(const Support& support, const std::vector<Real>& weights);

/// Levels until the longest side is at most `smallest_side`; of clouds until there are no more points than a grid of that
/// side has; of surfaces one, where large eps is as cheap as small. At least 1.
int count_levels(const Support& support, Index smallest_side);

/// Multilinear interpolation of `coarse_values`, those of the coarse planes (indices of the slowest axis) from `first_plane` on,
/// at the points [rows) of `fine`, whole planes; clamped at the border. It reads the planes that planes_for_interpolation names.
std::vector<Real> interpolate(const Grid& coarse, const std::vector<Real>& coarse_values, const Grid& fine, Range rows,
                              Index first_plane = 0);
Range planes_for_interpolation(const Grid& coarse, const Grid& fine, Range rows);

}  // namespace hpot
