// Regular grids of one to three dimensions, and raw data on them.
//
// Axes are ordered slowest first: [x], [y,x], [z,y,x]; a point's coordinate on axis d is origin[d] + i * spacing[d], in
// the data's own unit (mm for NIfTI, pixels for images).
#pragma once

#include "hpot/core/types.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace hpot {

struct Axis {
  Index n = 1;
  Real spacing = 1.0;
  Real origin = 0.0;
  [[nodiscard]] Real coordinate(Index i) const { return origin + static_cast<Real>(i) * spacing; }
};

/// Rows 1 to 3 of a NIfTI affine: (x, y, z, 1) voxel indices, x fastest, to millimetres.
using Affine = std::array<std::array<Real, 4>, 3>;

struct Grid {
  std::vector<Axis> axes;        // one to three, slowest first
  std::optional<Affine> affine;  // of volumes that came with one

  [[nodiscard]] int dimension() const { return static_cast<int>(axes.size()); }
  [[nodiscard]] Index points() const;
  [[nodiscard]] Real smallest_spacing() const;
  /// "61 x 73 x 61, spacing 3 x 3 x 3", axes in the order x, y, z of the field's tools.
  [[nodiscard]] std::string describe() const;
};

Grid make_grid(const std::vector<Index>& shape, const std::vector<Real>& spacing);

/// Empty when shape, spacing and affine agree (to 1e-3 voxel at every corner); else what differs.
std::string grid_mismatch(const Grid& a, const Grid& b);

/// For broadcasts: a grid as numbers and back.
std::vector<Real> pack(const Grid& grid);
Grid unpack_grid(const std::vector<Real>& numbers);

/// What a file or a synthetic family gives: values as they stand there, NaN where there is no data.
struct GridData {
  Grid grid;
  std::vector<Real> values;  // [z][y][x]
  std::string name;          // for messages and result.h5
};

}  // namespace hpot
