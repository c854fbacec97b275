// Coarser copies of a grid and of what lives on it, for multiscale solves. Local, on the host.
//
// A level halves the resolution of every axis whose spacing is within a factor 1.5 of the smallest (so that anisotropic
// grids become isotropic first); a coarse cell holds the mass of its fine cells and sits at the centre of a full one.
#pragma once

#include "hpot/measure/support.hpp"

namespace hpot {

/// The next coarser grid, or the same grid when no axis can be halved.
Grid coarsen(const Grid& grid);

/// Masses of the coarse cells; `fine` has fine.points() values.
std::vector<Real> coarsen(const Grid& grid, const std::vector<Real>& fine);

/// grid, coarsen(grid), ... until the longest side is at most `smallest_side`.
std::vector<Grid> make_levels(const Grid& grid, Index smallest_side);

/// The next coarser level of a measure, of either kind (point_cloud.hpp).
std::pair<Support, std::vector<Real>> coarsen(const Support& support, const std::vector<Real>& weights);

/// Levels until the longest side is at most `smallest_side`; of clouds until there are no more points than a grid of that
/// side has; of surfaces one, where large eps is as cheap as small. At least 1.
int count_levels(const Support& support, Index smallest_side);

/// Multilinear interpolation of `coarse_values` at the points [rows) of `fine`, clamped at the border.
std::vector<Real> interpolate(const Grid& coarse, const std::vector<Real>& coarse_values, const Grid& fine, Range rows);

}  // namespace hpot
