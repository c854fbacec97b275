#include "hpot/measure/rows.hpp"

namespace hpot {

Partition divide_rows(const Support& support, int parts) {
  constexpr Index points_of_a_block = 64;
  constexpr Index rows_of_an_image = 8;  // share their windows
  const Grid* const grid = support.grid();
  if (grid == nullptr || grid->dimension() == 1) return {support.points(), points_of_a_block, parts};
  const Index row = grid->points() / grid->axes[0].n;
  return {grid->points(), grid->dimension() == 2 ? rows_of_an_image * row : row, parts};
}

OwnedRows own_rows(const Support& support, const Communicator& along_rows) {
  return {divide_rows(support, along_rows.size()), along_rows};
}

Index plane_points(const Grid& grid) { return grid.points() / grid.axes[0].n; }

Partition planes_of(const OwnedRows& rows, const Grid& grid) {
  return {grid.axes[0].n, rows.partition.tile() / plane_points(grid), rows.along_rows.size()};
}

Range owned_planes(const OwnedRows& rows, const Grid& grid) {
  return planes_of(rows, grid).block(rows.along_rows.rank());
}

}  // namespace hpot
