// Two clouds as rows and as columns of the truncated operator. Part of truncated.hpp.
#pragma once

#include "hpot/kernel/truncated.hpp"
#include "point_costs.hpp"

namespace hpot {

inline constexpr int group_rows = 8;
inline constexpr int item_groups = lanes::width;
inline constexpr int item_rows = group_rows * item_groups;
static_assert(truncated_block % item_rows == 0);
inline constexpr int tile_columns = 32;
inline constexpr int children = 8;
inline constexpr int most_levels = 12;

using NodeValues = Kokkos::View<Real*, MemorySpace>;
using NodeVectors = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;  // (axis, node)
using PointOrder = Kokkos::View<int*, MemorySpace>;

/// Nodes of a level are padded to whole families with nodes of top 2 log_zero.
struct TileTree {
  int levels = 0;
  Index first[most_levels] = {};
  Index count[most_levels] = {};
  NodeVectors center, half;  // of boxes
  NodeVectors slope;         // of one call's h
  NodeValues top, log_count;

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Index rank(int level, Index node) const { return first[level] + node; }
};

/// Columns in the order of their tiles, padded to whole tiles with copies of the last.
struct TiledColumns {
  Coordinates y;
  PointOrder order;  // the column's number
  Index columns = 0;
  TileTree tree;
};

/// Rows in the order of their groups, whole items of them: copies of the last where there are too few.
struct TiledRows {
  Coordinates points;  // those of the columns
  PointOrder place;    // of the row, among them
  PointOrder order;    // where the row's result goes; -1: nowhere
  Index items = 0;
  NodeValues visited;  // pairs of every item, of the last softmin

  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Real x(int axis, Index row) const { return points(axis, place(row)); }
};

/// One side's points in both their parts, about the middle of the box around both sides; axes are padded with zeros.
struct TiledSide {
  TiledRows rows;
  TiledColumns columns;
};

struct TiledClouds {
  TiledSide source, target;
  Real extent[truncated_most_dimensions] = {};  // of the box around both
  NodeValues h, values;                         // in the order of tiles, of one call
};

TiledClouds make_tiled_clouds(const Points& source, const Points& target, Range source_rows, Range target_rows,
                              int axes);
/// Rows of the points that are these columns.
TiledRows make_tiled_rows(const TiledColumns& points, Range rows);

template <int dimension>
std::unique_ptr<TruncatedKernel> make_truncated_squared(TiledClouds clouds, Real cut);
/// Any cost, on three axes.
template <class C>
std::unique_ptr<TruncatedKernel> make_truncated_any(const C& cost, TiledClouds clouds, Real cut);

}  // namespace hpot
