// Reductions of the rows of an item over the tiles that a walk keeps. Part of truncated.hpp.
//
//   TiledCosts      e_ij = h_j - s C_ij
//   TiledProducts   the same of squared Euclidean costs, but for a term of the row alone, through scalar products
//
// in units of log 2, with h, and what the products take off it, made once a call.
#pragma once

#include "point_reductions.hpp"
#include "tile_walk.hpp"

namespace hpot {
namespace {

template <class C>
struct TiledCosts {
  static constexpr bool all_at_once = false;
  C costs;
  TiledRows points;  // of the rows
  const Real* h;
  Real scale;

  struct Tile {
    Index first;
  };
  using Rows = typename C::Rows;
  KOKKOS_FORCEINLINE_FUNCTION Wide cost(const Tile& tile, Index v, const Rows& rows, int r) const {
    return costs.at(rows, r, tile.first + v * lanes::width);
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide exponent(const Tile& tile, Index v, const Rows& rows, int r) const {
    return lanes::load(h + tile.first + v * lanes::width) - cost(tile, v, rows, r) * scale;
  }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i) const {
    for (int r = 0; r < block_rows; ++r) {
      for (int d = 0; d < C::dimension; ++d) rows.x[r][d] = points.x(d, i + r);
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION Real of_row(Index) const { return 0.0; }
};

/// Ledger per pair: one multiply-add an axis.
template <int dimension>
struct TiledProducts {
  static constexpr bool all_at_once = false;
  TiledRows points;  // of the rows
  Coordinates in;
  const Real* h;
  Real scale;

  struct Tile {
    Index first;
  };
  struct Rows {
    Real x[block_rows][dimension];
  };
  KOKKOS_FORCEINLINE_FUNCTION Wide exponent(const Tile& tile, Index v, const Rows& rows, int r) const {
    const Index j = tile.first + v * lanes::width;
    Wide e = lanes::load(h + j);
#pragma GCC unroll 3
    for (int d = 0; d < dimension; ++d) e = e + lanes::load(&in(d, j)) * rows.x[r][d];
    return e;
  }
  KOKKOS_FORCEINLINE_FUNCTION void enter(Rows& rows, Index i) const {
    for (int r = 0; r < block_rows; ++r) {
      for (int d = 0; d < dimension; ++d) rows.x[r][d] = 2.0 * scale * points.x(d, i + r);
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION Real of_row(Index i) const {
    Real square = 0.0;
    for (int d = 0; d < dimension; ++d) square += points.x(d, i) * points.x(d, i);
    return -scale * square;
  }
};

/// The rows of an item, and their sums.
template <class Terms, Precision precision>
struct RowsOfItem {
  const Terms& terms;
  Index first;
  typename Terms::Rows rows[item_groups * group_blocks];
  RowSums sums[item_rows];
  ExponentsOfTile<Terms, precision> exponents;

  KOKKOS_FUNCTION RowsOfItem(const Terms& some, Index item) : terms(some), first(item * item_rows) {
    for (int b = 0; b < item_groups * group_blocks; ++b) terms.enter(rows[b], first + b * block_rows);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real level(int row) const {
    return sums[row].reference + Kokkos::log2(sum_of_lanes(sums[row].sum)) + terms.of_row(first + row);
  }
  KOKKOS_FUNCTION void restart() {
    for (RowSums& row : sums) row.sum = row.moment = lanes::broadcast(0.0);
  }
  /// take(exponents, r, its sums, vectors begin, vectors) of every row of the group.
  template <class Take>
  KOKKOS_FORCEINLINE_FUNCTION void form(int group, Index column, Index vectors, const Take& take) {
    for (Index at = 0; at < vectors; at += tile_vectors) {
      const Index here = Kokkos::min<Index>(tile_vectors, vectors - at);
      exponents.tile = {column + at * lanes::width};
      for (int b = group * group_blocks; b < (group + 1) * group_blocks; ++b) {
        exponents.rows = rows[b];
        RowSums* const sums_of_block = sums + b * block_rows;
        exponents.form(terms, here, sums_of_block, block_rows);
        for (int r = 0; r < block_rows; ++r) take(r, here, sums_of_block[r]);
      }
    }
  }
};

template <class Terms, Precision precision>
struct SoftminOfItem : RowsOfItem<Terms, precision> {
  Index visited = 0;  // pairs
  using RowsOfItem<Terms, precision>::RowsOfItem;
  KOKKOS_FUNCTION void restart() {
    RowsOfItem<Terms, precision>::restart();
    visited = 0;
  }
  __attribute__((noinline)) KOKKOS_FUNCTION void add(int group, Index column, Index vectors) {
    visited += group_rows * vectors * lanes::width;
    this->form(group, column, vectors,
               [this](int r, Index here, RowSums& row) { add_exponentials<precision>(this->exponents, r, here, row); });
  }
};

template <class Terms, MeanOf what>
struct MeanOfItem : RowsOfItem<Terms, Precision::full> {
  const Real* values;  // in the order of the tiles
  KOKKOS_FUNCTION MeanOfItem(const Terms& terms, Index item, const Real* given)
      : RowsOfItem<Terms, Precision::full>(terms, item), values(given) {}
  __attribute__((noinline)) KOKKOS_FUNCTION void add(int group, Index column, Index vectors) {
    this->form(group, column, vectors, [this](int r, Index here, RowSums& row) {
      const auto& tile = this->exponents.tile;
      for (Index v = 0; v < here; ++v) {
        const Wide weight = lanes::exp2(this->exponents.at(r, v));
        row.sum = row.sum + weight;
        if constexpr (what == MeanOf::values) {
          row.moment = row.moment + weight * lanes::load(values + tile.first + v * lanes::width);
        } else {
          row.moment = row.moment + weight * this->terms.cost(tile, v, this->exponents.rows, r);
        }
      }
    });
  }
};

/// Largest exponents.
template <class Terms>
struct MaximaOfItem {
  const Terms& terms;
  typename Terms::Rows rows[item_groups * group_blocks];
  Wide top[item_rows];

  KOKKOS_FUNCTION MaximaOfItem(const Terms& some, Index item) : terms(some) {
    for (int b = 0; b < item_groups * group_blocks; ++b) terms.enter(rows[b], item * item_rows + b * block_rows);
    for (Wide& t : top) t = lanes::broadcast(2.0 * log_zero);
  }
  [[nodiscard]] KOKKOS_FUNCTION Real level(int row) const { return largest_lane(top[row]); }
  KOKKOS_FUNCTION void restart() {}
  __attribute__((noinline)) KOKKOS_FUNCTION void add(int group, Index column, Index vectors) {
    for (int b = group * group_blocks; b < (group + 1) * group_blocks; ++b)
      raise_to_exponents(terms, typename Terms::Tile{column}, rows[b], vectors, top + b * block_rows);
  }
};

/// Items in turns, so that threads, which take runs of ranks, have equal shares of dense and of empty places.
struct ItemTurns {
  Index items, threads, per_thread;
  explicit ItemTurns(Index count)
      : items(count), threads(ExecutionSpace{}.concurrency()), per_thread((count + threads - 1) / threads) {}
  [[nodiscard]] Index ranks() const { return threads * per_thread; }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION Index at(Index rank) const {
    return rank % per_thread * threads + rank / per_thread;
  }
};

/// Reduction: body(item), which a walk adds tiles to, and value(body, row of the item, whether a column has weight).
template <class Bound, class Reduction>
struct TiledReduction {
  Bound bound;
  TileTree tree;
  TiledRows rows;
  Cut cut;
  ItemTurns turns;
  Reduction reduction;
  Field out;
  Index k;

  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index item = turns.at(rank);
    if (item >= turns.items) return;
    auto body = reduction.body(item);
    const bool reached = TileWalk<Bound, decltype(body)>{bound, tree, rows, cut}.run(item, body);
    for (int r = 0; r < item_rows; ++r) {
      const int to = rows.order(item * item_rows + r);
      if (to >= 0) out(k, to) = reduction.value(body, r, reached);
    }
    if constexpr (requires { body.visited; }) rows.visited(item) += static_cast<Real>(body.visited);
  }
};

template <class Terms, Precision precision>
struct TiledSoftmin {
  using Body = SoftminOfItem<Terms, precision>;
  Terms terms;
  Real epsilon;
  KOKKOS_FUNCTION Body body(Index item) const { return Body(terms, item); }
  KOKKOS_FUNCTION Real value(const Body& body, int r, bool reached) const {
    return -epsilon * (reached ? log_2 * body.level(r) : log_zero);
  }
};

template <class Terms, MeanOf what>
struct TiledMean {
  using Body = MeanOfItem<Terms, what>;
  Terms terms;
  const Real* values;
  KOKKOS_FUNCTION Body body(Index item) const { return Body(terms, item, values); }
  KOKKOS_FUNCTION Real value(const Body& body, int r, bool reached) const {
    const RowSums& row = body.sums[r];
    return reached ? sum_of_lanes(row.moment) / sum_of_lanes(row.sum) : 0.0;
  }
};

/// outer * max_j e_ij.
template <class Terms>
struct TiledExtremum {
  using Body = MaximaOfItem<Terms>;
  Terms terms;
  Real outer;
  KOKKOS_FUNCTION Body body(Index item) const { return Body(terms, item); }
  KOKKOS_FUNCTION Real value(const Body& body, int r, bool reached) const {
    return outer * (reached ? body.level(r) : log_zero);
  }
};

}  // namespace
}  // namespace hpot
