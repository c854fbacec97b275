// Exponents of the pairs of some rows and a tile of columns, in units of log 2, so that exponentials are powers of two. Part
// of dense.cpp and matrix_operator.cpp.
//
//   CostTerms      e_ij = unit h_j - scale C_ij
//   ProductTerms   the same of squared Euclidean costs, but for a term of the row alone, through the scalar product of
//                  centred coordinates: e_ij = (log2(e) h_j - s |y_j|^2) + 2 s x_i . y_j,  s = log2(e)/eps
#pragma once

#include "point_costs.hpp"

namespace hpot {
namespace {

constexpr Real log2_e = 1.4426950408889634074;
constexpr Real log_2 = 0.69314718055994530942;

/// Values [j, j + width) of an array of `count`, `padding` where it ends.
KOKKOS_FORCEINLINE_FUNCTION Wide load_padded(const Real* array, Index j, Index count, Real padding) {
  if (j + lanes::width <= count) return lanes::load(array + j);
  Real values[lanes::width];
  for (Index l = 0; l < lanes::width; ++l) values[l] = j + l < count ? array[j + l] : padding;
  return lanes::load(values);
}

/// Vectors of columns that begin at first, first + step, ...
struct TileColumns {
  Index first, vectors;
  Index step = lanes::width;
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Index of(Index v) const { return first + v * step; }
};

/// h times unit, less what else hangs on the column; 2 log_zero for columns without weight.
struct ScaledColumns {
  const Real* h;
  Index columns;
  Real unit;
  KOKKOS_FORCEINLINE_FUNCTION Wide at(Index j, Wide minus) const {
    const Wide value = load_padded(h, j, columns, log_zero);
    return lanes::where_greater(value, 0.5 * log_zero, value * unit - minus, 2.0 * log_zero);
  }
};

template <class Costs>
struct CostTerms {
  static constexpr bool all_at_once = Costs::all_at_once;
  Costs costs;
  ConstField h;
  Real unit, scale;

  struct Tile {
    alignas(64) Real h[tile_vectors * lanes::width];
    Index first, step;
  };
  using Rows = typename Costs::Rows;

  KOKKOS_FORCEINLINE_FUNCTION Index columns() const { return costs.columns; }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Tile& tile, Index k, TileColumns columns) const {
    const ScaledColumns scaled{&h(k, 0), costs.columns, unit};
    tile.first = columns.first;
    tile.step = columns.step;
    for (Index v = 0; v < columns.vectors; ++v)
      lanes::store(tile.h + v * lanes::width, scaled.at(columns.of(v), lanes::broadcast(0.0)));
  }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i, Index last) const { costs.enter(rows, i, last); }
  KOKKOS_FORCEINLINE_FUNCTION Wide cost(const Tile& tile, Index v, const Rows& rows, int r) const {
    return costs.at(rows, r, tile.first + v * tile.step);
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide exponent(const Tile& tile, Index v, const Rows& rows, int r) const {
    return lanes::load(tile.h + v * lanes::width) - cost(tile, v, rows, r) * scale;
  }
  /// Of all rows.
  KOKKOS_FORCEINLINE_FUNCTION void exponents(const Tile& tile, Index v, const Rows& rows, Wide* x) const {
    costs.at(rows, tile.first + v * tile.step, x);
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) x[r] = lanes::load(tile.h + v * lanes::width) - x[r] * scale;
  }
  KOKKOS_FORCEINLINE_FUNCTION Real of_row(Index) const { return 0.0; }
};

constexpr Real largest_product = 1 << 24;

/// Origin for scalar products, and the largest |x|^2 from there.
struct Frame {
  Real center[3] = {0.0, 0.0, 0.0};
  Real square = 0.0;
  /// Exponents from products err by about 16 u s |x|^2: by less than 3e-8, as a float exponential does.
  [[nodiscard]] bool suits(Real scale) const { return scale * square <= largest_product; }
};

/// Ledger per pair: one multiply-add an axis.
template <int dimension>
struct ProductTerms {
  static constexpr bool all_at_once = false;
  PointCosts<SquaredEuclidean, dimension> points;
  ConstField h;
  Real scale;
  Frame frame;

  struct Tile {
    alignas(64) Real h[tile_vectors * lanes::width];
    alignas(64) Real y[dimension][tile_vectors * lanes::width];
  };
  struct Rows {
    Real x[block_rows][dimension];
  };

  KOKKOS_FORCEINLINE_FUNCTION Index columns() const { return points.columns; }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Tile& tile, Index k, TileColumns columns) const {
    const ScaledColumns scaled{&h(k, 0), points.columns, log2_e};
    for (Index v = 0; v < columns.vectors; ++v) {
      const Index j = columns.of(v);
      Wide square = lanes::broadcast(0.0);
      for (int d = 0; d < dimension; ++d) {
        const Wide y = lanes::load(&points.in(d, j)) - frame.center[d];
        lanes::store(tile.y[d] + v * lanes::width, y);
        square = square + y * y;
      }
      lanes::store(tile.h + v * lanes::width, scaled.at(j, square * scale));
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i, Index last) const {
    for (int r = 0; r < block_rows; ++r) {
      for (int d = 0; d < dimension; ++d)
        rows.x[r][d] = 2.0 * scale * (points.out(d, points.first + Kokkos::min(i + r, last)) - frame.center[d]);
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide exponent(const Tile& tile, Index v, const Rows& rows, int r) const {
    Wide e = lanes::load(tile.h + v * lanes::width);
#pragma GCC unroll 3
    for (int d = 0; d < dimension; ++d) e = e + lanes::load(tile.y[d] + v * lanes::width) * rows.x[r][d];
    return e;
  }
  KOKKOS_FORCEINLINE_FUNCTION Real of_row(Index i) const {
    Real square = 0.0;
    for (int d = 0; d < dimension; ++d) {
      const Real x = points.out(d, points.first + i) - frame.center[d];
      square += x * x;
    }
    return -scale * square;
  }
};

}  // namespace
}  // namespace hpot
