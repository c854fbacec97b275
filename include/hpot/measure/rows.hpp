// Which points of a support a rank owns. Local.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/measure/support.hpp"

namespace hpot {

/// Rows of a grid in whole planes (images: eight rows at a time; one dimension: blocks of 64 points), of a cloud in blocks of
/// 64 points. The first part is no smaller than any other.
Partition divide_rows(const Support& support, int parts);
OwnedRows own_rows(const Support& support, const Communicator& along_rows);

/// Points of one plane of a grid: those of one index of its slowest axis.
[[nodiscard]] Index plane_points(const Grid& grid);
/// Rows of a grid, counted in planes.
[[nodiscard]] Partition planes_of(const OwnedRows& rows, const Grid& grid);
[[nodiscard]] Range owned_planes(const OwnedRows& rows, const Grid& grid);

}  // namespace hpot
