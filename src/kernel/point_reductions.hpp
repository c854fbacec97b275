// Reductions of rows over all columns, for any terms of point_terms.hpp. Part of dense.cpp and matrix_operator.cpp.
//
// A work item is some rows of one batch entry; columns come in tiles. Of a few rows and a tile, exponents are formed over
// each row's reference, which is close to the largest one so far; then one exponential per pair is summed. Where a tile
// exceeds a row's reference, the reference is raised to the tile's maximum, sums are scaled and the row's exponents formed
// anew. First references come from a sample of columns, so that this is rare. What a row becomes depends on column indices
// alone: its bits do not depend on the item or the rank that forms it.
#pragma once

#include "point_terms.hpp"

namespace hpot {
namespace {

constexpr Index most_rows = lanes::width > 1 ? 32 : 1;  // of an item
constexpr Index sample_step =
    17;  // of the vectors looked at for first references: one of each tile, further on each time
constexpr Index items_per_thread = 8;  // are enough; then items take more rows

/// Work items: rows of batch entries.
struct RowItems {
  Index rows, per_item, per_entry, count;

  RowItems(Index batch, Index row_count) : rows(row_count) {
    const Index wanted = batch * rows / (items_per_thread * ExecutionSpace{}.concurrency());
    per_item = Kokkos::clamp<Index>(wanted / block_rows * block_rows, block_rows, most_rows);
    per_entry = (rows + per_item - 1) / per_item;
    count = batch * per_entry;
  }
  struct Item {
    Index k, begin, end;
  };
  KOKKOS_FORCEINLINE_FUNCTION Item at(Index rank) const {
    const Index begin = rank % per_entry * per_item;
    return {rank / per_entry, begin, Kokkos::min(begin + per_item, rows)};
  }
};

KOKKOS_FORCEINLINE_FUNCTION Real largest_lane(Wide x) {
  Real largest = lanes::lane(x, 0);
  for (int l = 1; l < lanes::width; ++l) largest = Kokkos::max(largest, lanes::lane(x, l));
  return largest;
}
KOKKOS_FORCEINLINE_FUNCTION Real sum_of_lanes(Wide x) {
  Real sum = lanes::lane(x, 0);
  for (int l = 1; l < lanes::width; ++l) sum += lanes::lane(x, l);
  return sum;
}

/// How exponents over the reference are kept: what they may reach, in units of log 2, without loss of accuracy.
template <Precision precision>
struct Kept;
template <>
struct Kept<Precision::mixed> {
  using Lanes = Narrow;
  using Value = float;
  static constexpr float most = 4.0f;
  KOKKOS_FORCEINLINE_FUNCTION static Narrow of(Wide x) { return lanes::narrow(x); }
  KOKKOS_FORCEINLINE_FUNCTION static Wide widen(Narrow x) { return lanes::widen(x); }
};
template <>
struct Kept<Precision::full> {
  using Lanes = Wide;
  using Value = Real;
  static constexpr Real most = 64.0;
  KOKKOS_FORCEINLINE_FUNCTION static Wide of(Wide x) { return x; }
  KOKKOS_FORCEINLINE_FUNCTION static Wide widen(Wide x) { return x; }
};

/// A row's reference, and its sums over it: of weights and, for means, of weighted values.
struct RowSums {
  Real reference = 2.0 * log_zero;
  Wide sum = lanes::broadcast(0.0);
  Wide moment = lanes::broadcast(0.0);

  KOKKOS_FORCEINLINE_FUNCTION void raise(Real to) {
    const Wide factor = lanes::exp2(lanes::broadcast(reference - to));
    sum = sum * factor;
    moment = moment * factor;
    reference = to;
  }
  [[nodiscard]] KOKKOS_FORCEINLINE_FUNCTION bool reached() const { return reference > 0.5 * log_zero; }
};

/// take(r, exponent) for each of a few rows.
template <class Terms, class Take>
KOKKOS_FORCEINLINE_FUNCTION void for_exponents(const Terms& terms, const typename Terms::Tile& tile, Index v,
                                               const typename Terms::Rows& rows, const Take& take) {
  if constexpr (Terms::all_at_once) {
    Wide x[block_rows];
    terms.exponents(tile, v, rows, x);
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) take(r, x[r]);
  } else {
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) take(r, terms.exponent(tile, v, rows, r));
  }
}

/// The exponents of a few rows and a tile.
template <class Terms, Precision precision>
struct ExponentsOfTile {
  using K = Kept<precision>;
  using Lanes = typename K::Lanes;
  typename Terms::Tile tile;
  typename Terms::Rows rows;
  alignas(64) typename K::Value over_reference[block_rows][tile_vectors * lanes::width];

  KOKKOS_FORCEINLINE_FUNCTION Lanes at(int r, Index v) const {
    return lanes::load(over_reference[r] + v * lanes::width);
  }

  KOKKOS_FORCEINLINE_FUNCTION void form(const Terms& terms, Index vectors, RowSums* sums, int count) {
    Real reference[block_rows];
    Lanes running[block_rows];
    for (int r = 0; r < block_rows; ++r) {
      reference[r] = sums[r < count ? r : 0].reference;
      running[r] = Lanes{} - K::most;
    }
    const typename Terms::Rows row = rows;  // apart from what is stored, so that it stays in registers
    for (Index v = 0; v < vectors; ++v) {
      for_exponents(terms, tile, v, row, [&](int r, Wide exponent) {
        const Lanes x = K::of(exponent - reference[r]);
        lanes::store(over_reference[r] + v * lanes::width, x);
        running[r] = lanes::max(x, running[r]);
      });
    }
    Lanes top[block_rows];  // another array, so that the running one stays in registers
#pragma GCC unroll 4
    for (int r = 0; r < block_rows; ++r) top[r] = running[r];
    for (int r = 0; r < count; ++r) {
      if (lanes::any_at_least(top[r], Lanes{} + K::most)) form_higher(terms, vectors, r, sums[r]);
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION void form_higher(const Terms& terms, Index vectors, int r, RowSums& sums) {
    Wide top = lanes::broadcast(2.0 * log_zero);
    for (Index v = 0; v < vectors; ++v) top = lanes::max(terms.exponent(tile, v, rows, r), top);
    sums.raise(largest_lane(top));
    const Wide reference = lanes::broadcast(sums.reference);
    for (Index v = 0; v < vectors; ++v)
      lanes::store(over_reference[r] + v * lanes::width, K::of(terms.exponent(tile, v, rows, r) - reference));
  }
};

/// Raises top[r] to the maxima of the exponents in each lane.
template <class Terms>
KOKKOS_FORCEINLINE_FUNCTION void raise_to_exponents(const Terms& terms, const typename Terms::Tile& tile,
                                                    const typename Terms::Rows& rows, Index vectors, Wide* top) {
  Wide t[block_rows];
  for (int r = 0; r < block_rows; ++r) t[r] = lanes::broadcast(2.0 * log_zero);
  for (Index v = 0; v < vectors; ++v)
    for_exponents(terms, tile, v, rows, [&](int r, Wide exponent) { t[r] = lanes::max(exponent, t[r]); });
  for (int r = 0; r < block_rows; ++r) top[r] = lanes::max(t[r], top[r]);
}

/// Maxima of the exponents of each of the item's rows, of every `step`-th vector of columns.
template <class Terms>
KOKKOS_FORCEINLINE_FUNCTION void find_maxima(const Terms& terms, const RowItems::Item& item, Index step, Real* maxima) {
  typename Terms::Tile tile;
  typename Terms::Rows rows;
  Wide top[most_rows];
  for (auto& t : top) t = lanes::broadcast(2.0 * log_zero);
  const Index all = (padded(terms.columns()) / lanes::width + step - 1) / step;
  for (Index at = 0; at < all; at += tile_vectors) {
    const Index vectors = Kokkos::min<Index>(tile_vectors, all - at);
    terms.enter(tile, item.k, {at * step * lanes::width, vectors, step * lanes::width});
    for (Index i = item.begin; i < item.end; i += block_rows) {
      terms.enter(rows, i, item.end - 1);
      raise_to_exponents(terms, tile, rows, vectors, top + (i - item.begin));
    }
  }
  for (Index i = item.begin; i < item.end; ++i) maxima[i - item.begin] = largest_lane(top[i - item.begin]);
}

/// Calls enter(first, vectors) for every tile of columns, then add(exponents, r, vectors, sums) for each of the item's rows.
template <Precision precision, class Terms, class Enter, class Add>
KOKKOS_FORCEINLINE_FUNCTION void for_tiles(const Terms& terms, const RowItems::Item& item, RowSums* sums,
                                           const Enter& enter, const Add& add) {
  Real references[most_rows];
  find_maxima(terms, item, sample_step, references);
  for (Index i = item.begin; i < item.end; ++i) sums[i - item.begin].reference = references[i - item.begin];
  ExponentsOfTile<Terms, precision> exponents;
  const Index all = padded(terms.columns()) / lanes::width;
  for (Index at = 0; at < all; at += tile_vectors) {
    const Index vectors = lanes::width > 1 ? Kokkos::min<Index>(tile_vectors, all - at) : tile_vectors;
    terms.enter(exponents.tile, item.k, {at * lanes::width, vectors});
    enter(at * lanes::width, vectors);
    for (Index i = item.begin; i < item.end; i += block_rows) {
      RowSums* here = sums + (i - item.begin);
      const int count = static_cast<int>(Kokkos::min<Index>(block_rows, item.end - i));
      terms.enter(exponents.rows, i, item.end - 1);
      exponents.form(terms, vectors, here, count);
      for (int r = 0; r < count; ++r) add(exponents, r, vectors, here[r]);
    }
  }
}

/// Adds the exponentials of the r-th row and a tile.
template <Precision precision, class Exponents>
KOKKOS_FORCEINLINE_FUNCTION void add_exponentials(const Exponents& exponents, int r, Index vectors, RowSums& row) {
  Wide sum = row.sum;
  for (Index v = 0; v < vectors; v += sum_vectors) {
    typename Exponents::Lanes e[sum_vectors];
#pragma GCC unroll 4
    for (int w = 0; w < sum_vectors; ++w) e[w] = lanes::exp2(exponents.at(r, v + w));
    sum = sum + Kept<precision>::widen((e[0] + e[1]) + (e[2] + e[3]));
  }
  row.sum = sum;
}

/// s_i = -eps log sum_j exp(h_j - C_ij/eps).
/// Ledger per pair: the exponent, 2 flops and one exponential.
template <class Terms, Precision precision>
struct RowSoftmin {
  Terms terms;
  Field s;
  RowItems items;
  Real epsilon;

  KOKKOS_FUNCTION void operator()(Index rank) const {
    const auto item = items.at(rank);
    using Exponents = ExponentsOfTile<Terms, precision>;
    RowSums sums[most_rows];
    for_tiles<precision>(
        terms, item, sums, [](Index, Index) {},
        [](const Exponents& exponents, int r, Index vectors, RowSums& row) {
          add_exponentials<precision>(exponents, r, vectors, row);
        });
    for (Index i = item.begin; i < item.end; ++i) {
      const RowSums& row = sums[i - item.begin];
      const Real total = log_2 * (row.reference + terms.of_row(i)) + Kokkos::log(sum_of_lanes(row.sum));
      s(item.k, i) = -epsilon * (row.reached() ? total : log_zero);
    }
  }
};

enum class MeanOf { values, costs };

/// Mean of v_j or C_ij under the weights exp(h_j - C_ij/eps) of a row. Ledger per pair: the exponent, one exponential and 3
/// flops; costs are computed twice.
template <class Terms, MeanOf what>
struct RowMean {
  Terms terms;
  ConstField v;
  Field mean;
  RowItems items;

  KOKKOS_FUNCTION void operator()(Index rank) const {
    const auto item = items.at(rank);
    RowSums sums[most_rows];
    Wide values[tile_vectors];
    const auto load_values = [&](Index first, Index vectors) {
      if constexpr (what == MeanOf::values) {
        for (Index w = 0; w < vectors; ++w)
          values[w] = load_padded(&v(item.k, 0), first + w * lanes::width, terms.columns(), 0.0);
      }
    };
    const auto add = [&](const auto& exponents, int r, Index vectors, RowSums& row) {
      Wide sum = row.sum;
      Wide moment = row.moment;
      for (Index w = 0; w < vectors; ++w) {
        const Wide weight = lanes::exp2(exponents.at(r, w));
        sum = sum + weight;
        if constexpr (what == MeanOf::values) {
          moment = moment + weight * values[w];
        } else {
          moment = moment + weight * terms.cost(exponents.tile, w, exponents.rows, r);
        }
      }
      row.sum = sum;
      row.moment = moment;
    };
    for_tiles<Precision::full>(terms, item, sums, load_values, add);
    for (Index i = item.begin; i < item.end; ++i) {
      const RowSums& row = sums[i - item.begin];
      mean(item.k, i) = row.reached() ? sum_of_lanes(row.moment) / sum_of_lanes(row.sum) : 0.0;
    }
  }
};

/// outer * max_j e_ij over h_j > log_zero. Ledger per pair: the exponent and one comparison.
template <class Terms>
struct RowExtremum {
  Terms terms;
  Field m;
  RowItems items;
  Real outer;

  KOKKOS_FUNCTION void operator()(Index rank) const {
    const auto item = items.at(rank);
    Real maxima[most_rows];
    find_maxima(terms, item, 1, maxima);
    for (Index i = item.begin; i < item.end; ++i) {
      const Real largest = maxima[i - item.begin];
      m(item.k, i) = outer * (largest > 0.5 * log_zero ? largest : log_zero);
    }
  }
};

using RowPolicy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

inline RowItems items_of(const ConstField& out) {
  return {static_cast<Index>(out.extent(0)), static_cast<Index>(out.extent(1))};
}

template <Precision precision, class Terms>
void softmin_of_rows(const Terms& terms, Real epsilon, const Field& s) {
  const RowItems items = items_of(s);
  Kokkos::parallel_for("hpot::PointOperator::softmin", RowPolicy(0, items.count),
                       RowSoftmin<Terms, precision>{terms, s, items, epsilon});
}

template <MeanOf what, class Terms>
void mean_of_rows(const Terms& terms, const ConstField& v, const Field& mean) {
  const RowItems items = items_of(mean);
  Kokkos::parallel_for("hpot::PointOperator::average", RowPolicy(0, items.count),
                       RowMean<Terms, what>{terms, v, mean, items});
}

template <class Terms>
void extremum_of_rows(const Terms& terms, Real outer, const Field& m) {
  const RowItems items = items_of(m);
  Kokkos::parallel_for("hpot::PointOperator::extremum", RowPolicy(0, items.count),
                       RowExtremum<Terms>{terms, m, items, outer});
}

}  // namespace
}  // namespace hpot
