// Costs of a few rows at once to a vector of columns, computed from coordinates or read from a matrix. Part of dense.cpp and
// matrix_operator.cpp (hence the unnamed namespace).
//
// Columns are padded to a multiple of column_unit; what the padding's costs are does not matter, as its h is log_zero.
#pragma once

#include "hpot/kernel/dense.hpp"
#include "hpot/kernel/lanes.hpp"

#include <type_traits>

namespace hpot {
namespace {

using lanes::Narrow;
using lanes::Wide;

constexpr int block_rows = lanes::width > 1 ? 4 : 1;     // rows that share what is loaded of a column
constexpr int tile_vectors = lanes::width > 1 ? 32 : 8;  // a tile of columns and its exponents stay in the first cache
constexpr int sum_vectors = 4;  // exponentials that are summed as they come, in float where mixed
constexpr Index column_unit = lanes::width > 1 ? sum_vectors* lanes::width : tile_vectors;

constexpr Index padded(Index columns) { return (columns + column_unit - 1) / column_unit * column_unit; }

/// Axis by axis: (dimension, at least the padded points).
using Coordinates = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;

template <class F>
KOKKOS_FORCEINLINE_FUNCTION Wide lane_by_lane(Wide x, const F& f) {
  Real values[lanes::width];
  lanes::store(values, x);
  for (Real& value : values) value = f(value);
  return lanes::load(values);
}

template <class C>
KOKKOS_FORCEINLINE_FUNCTION Wide along_axis(const C& cost, Wide difference) {
  if constexpr (std::is_same_v<C, PowerAxes>) {
    return lane_by_lane(difference, [&cost](Real x) { return cost.along_axis(x); });
  } else {
    return difference * difference;
  }
}

template <class C>
KOKKOS_FORCEINLINE_FUNCTION Wide of_sum(const C& cost, Wide sum) {
  if constexpr (std::is_same_v<C, Euclidean>) {
    return lanes::sqrt(sum);
  } else if constexpr (std::is_same_v<C, Power>) {
    return lane_by_lane(sum, [&cost](Real x) { return cost.of_sum(x); });
  } else if constexpr (std::is_same_v<C, Cosine>) {
    return sum * 0.5;
  } else {
    return sum;
  }
}

/// Costs computed on the fly between points of a dimension that is known here, or of any where `fixed` is 0.
/// Ledger per pair: 3 flops an axis less one, and the cost's root or powers; no bytes but a tile's, shared by block_rows.
template <class C, int fixed>
struct PointCosts {
  static constexpr bool all_at_once = false;
  static constexpr int dimension = fixed;
  C cost;
  Coordinates out, in;
  Index first;  // point of row 0
  Index columns;

  struct Rows {
    Real x[block_rows][fixed];
  };
  /// Rows from i on; those after the last one are copies of it.
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i, Index last) const {
    for (int r = 0; r < block_rows; ++r) {
      for (int d = 0; d < fixed; ++d) rows.x[r][d] = out(d, first + Kokkos::min(i + r, last));
    }
  }
  /// Of the r-th row and the columns [j, j + width).
  KOKKOS_FORCEINLINE_FUNCTION Wide at(const Rows& rows, int r, Index j) const {
    Wide sum = along_axis(cost, lanes::load(&in(0, j)) - rows.x[r][0]);
#pragma GCC unroll 3
    for (int d = 1; d < fixed; ++d) sum = sum + along_axis(cost, lanes::load(&in(d, j)) - rows.x[r][d]);
    return of_sum(cost, sum);
  }
};

/// Of any dimension: rows share what is loaded of a column, as in a product of matrices whose tiles are block_rows x width.
/// Ledger per pair and axis: 2 flops, 2 bytes from the second-level cache.
template <class C>
struct PointCosts<C, 0> {
  static constexpr bool all_at_once = true;
  C cost;
  Coordinates out, in;
  Index first;
  Index columns;

  struct Rows {
    const Real* x[block_rows];
  };
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i, Index last) const {
    for (int r = 0; r < block_rows; ++r) rows.x[r] = &out(0, first + Kokkos::min(i + r, last));
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide at(const Rows& rows, int r, Index j) const {
    const Index x_stride = out.extent(1), y_stride = in.extent(1), dimension = in.extent(0);
    const Real* y = &in(0, j);
    Wide sum = lanes::broadcast(0.0);
    for (Index d = 0; d < dimension; ++d)
      sum = sum + along_axis(cost, lanes::load(y + d * y_stride) - rows.x[r][d * x_stride]);
    return of_sum(cost, sum);
  }
  /// Of all rows.
  KOKKOS_FORCEINLINE_FUNCTION void at(const Rows& rows, Index j, Wide* costs) const {
    const Index x_stride = out.extent(1), y_stride = in.extent(1), dimension = in.extent(0);
    const Real* y = &in(0, j);
    Wide sum[block_rows];
    for (int r = 0; r < block_rows; ++r) sum[r] = lanes::broadcast(0.0);
    for (Index d = 0; d < dimension; ++d) {
      const Wide along = lanes::load(y + d * y_stride);
#pragma GCC unroll 4
      for (int r = 0; r < block_rows; ++r) sum[r] = sum[r] + along_axis(cost, along - rows.x[r][d * x_stride]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) costs[r] = of_sum(cost, sum[r]);
  }
};

KOKKOS_FORCEINLINE_FUNCTION Wide load_wide(const double* from) { return lanes::load(from); }
KOKKOS_FORCEINLINE_FUNCTION Wide load_wide(const float* from) { return lanes::widen(lanes::load(from)); }

/// Rows of a matrix, (rows, padded columns). Ledger per pair: 8 bytes, 4 of floats.
template <class T>
struct MatrixCosts {
  static constexpr bool all_at_once = false;
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> matrix;
  Index columns;

  struct Rows {
    const T* row[block_rows];
  };
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i, Index last) const {
    for (int r = 0; r < block_rows; ++r) rows.row[r] = &matrix(Kokkos::min(i + r, last), 0);
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide at(const Rows& rows, int r, Index j) const { return load_wide(rows.row[r] + j); }
};

}  // namespace
}  // namespace hpot
