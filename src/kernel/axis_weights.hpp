// Weights exp(phi) of windows, formed once for several outputs where the cost is quadratic. Part of axis_kernels.cpp and
// kept_weights.cpp.
//
// exp(phi_i(j)) = exp(phi_c(j)) * exp(m (i - c) (j - k)) * exp(s), s = (c_ck - c_ik)/eps independent of j: outputs around
// c share the exponentials at c, and each takes products with tabulated ratios; k is the window's middle.
#pragma once

#include "axis_windows.hpp"

namespace hpot {
namespace {

constexpr Real exponent_limit = 300.0;  // of ratios: their sums stay normal doubles, and what underflows is negligible

/// exp(phi) over a window at one output, over their maxima.
template <Precision precision>
struct Weights {
  const WindowedTile& tile;
  const Tables& tables;
  Wide* values;  // of the window's entries
  Index left = 0, count = 0;
  Wide top{};

  KOKKOS_FORCEINLINE_FUNCTION void form_exponents(Index i) {
    const Real* row = tables.row(tables.scaled, i);
    top = lanes::broadcast(2.0 * log_zero);
    for (Index j = 0; j < count; ++j) {
      values[j] = tile.phi(row, left + j);
      top = lanes::max(top, values[j]);
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION void form(Index i) {
    form_exponents(i);
    for (Index j = 0; j < count; ++j) {
      if constexpr (precision == Precision::mixed) {
        values[j] = lanes::exp_short(values[j] - top);
      } else {
        values[j] = lanes::exp(values[j] - top);
      }
    }
  }

  /// The sum of what form() makes, for one output alone.
  KOKKOS_FORCEINLINE_FUNCTION Wide sum(Index i) {
    form_exponents(i);
    Wide total = lanes::broadcast(0.0);
    for (Index begin = 0; begin < count; begin += block) {
      const Index end = Kokkos::min<Index>(begin + block, count);
      if constexpr (precision == Precision::mixed) {
        Narrow part{};
        for (Index j = begin; j < end; ++j) part += lanes::exp(lanes::narrow(values[j] - top));
        total = total + lanes::widen(part);
      } else {
        Wide part = lanes::broadcast(0.0);
        for (Index j = begin; j < end; ++j) part = part + lanes::exp(values[j] - top);
        total = total + part;
      }
    }
    return total;
  }
};

KOKKOS_FORCEINLINE_FUNCTION Wide sum_of(const Wide* values, Index count) {
  Wide s0 = lanes::broadcast(0.0);
  Wide s1 = s0;
  for (Index j = 0; j + 1 < count; j += 2) {
    s0 = s0 + values[j];
    s1 = s1 + values[j + 1];
  }
  return count % 2 == 0 ? s0 + s1 : (s0 + s1) + values[count - 1];
}

/// Outputs from i on, six or three, from weights that were formed at output `center`: those of output i + r are values[j]
/// times ratio[6 j + r], over exp(-shift(r)).
struct Shared {
  const Tables& tables;
  Index i, center, middle;  // middle: the entry whose ratios are 1
  const Real* ratio;
  KOKKOS_FORCEINLINE_FUNCTION Real shift(Index r) const {
    const Index entry = -tables.step_in * middle;
    return tables.row(tables.scaled, center)[entry] - tables.row(tables.scaled, i + r)[entry];
  }
};

constexpr Index few_rows = 3;  // share weights where six cannot

/// Ratios of outputs from i on for the first entry of a window of `count` that outputs [first, first + outputs) share.
KOKKOS_FORCEINLINE_FUNCTION const Real* ratios_of(const Tables& tables, Index first, Index outputs, Index i,
                                                  Index count) {
  const Index b =
      (outputs <= rows_at_once ? tables.group : i - (first + outputs / 2) + tables.group / 2) / rows_at_once;
  const Index column = tables.largest_ratio - count / 2;
  const Index skipped = outputs == few_rows ? rows_at_once / 2 - few_rows / 2 : 0;
  return tables.ratios + (b * (2 * tables.largest_ratio + 1) + column) * rows_at_once + skipped;
}

/// How many outputs share their weights in a window of `count` entries: as many of a group as keep the exponents of the
/// ratios within the limit, three where six do not, or 1.
KOKKOS_FORCEINLINE_FUNCTION Index sharing_outputs(const Tables& tables, Index group, Index count) {
  if (count / 2 >= tables.largest_ratio) return 1;
  const Real exponent = tables.bilinear * static_cast<Real>(count / 2);
  while (group > rows_at_once && exponent * static_cast<Real>(group / 2) > exponent_limit) group /= 2;
  if (exponent * static_cast<Real>(group / 2) <= exponent_limit) return group;
  return exponent * static_cast<Real>(few_rows / 2) <= exponent_limit ? few_rows : 1;
}

/// Goes through the windows of the item's outputs, six outputs at a time. `reduce` has alone(r, i, weights), which forms the
/// weights of output i; formed(weights, first, outputs), after they were formed for several, then together<rows>(r, shared,
/// weights); store(i), after six outputs, of which the r-th is i + r.
template <class Weights, class Reduce>
KOKKOS_FORCEINLINE_FUNCTION void for_windows(const TileWork::Item& item, WindowedTile& tile, Weights& weights,
                                             Reduce& reduce) {
  const Tables& tables = weights.tables;
  const Index group = tables.group;
  const auto wanted = [&](Index i, Index count) { return i + count > item.begin && i < item.end; };
  for (Index begin = item.begin / stretch * stretch; begin < item.end; begin += stretch) {
    tile.enter(begin);
    tile.find_windows();
    for (Index k = 0; k < tile.groups(); ++k) {
      const Index first = tile.first_output(k);
      if (!wanted(first, group)) continue;
      weights.left = tile.left(k);
      weights.count = tile.right(k) - weights.left + 1;
      const Index sharing = sharing_outputs(tables, group, weights.count);
      const Index step = sharing < rows_at_once ? rows_at_once : sharing;
      for (Index sub = first; sub < first + group; sub += step) {
        if (!wanted(sub, step)) continue;
        if (sharing == 1) {
          for (Index r = 0; r < rows_at_once; ++r) {
            if (!wanted(sub + r, 1)) continue;
            reduce.alone(r, sub + r, weights);
          }
          reduce.store(sub);
          continue;
        }
        const Index middle = weights.left + weights.count / 2;
        if (sharing == few_rows) {
          for (Index r = 0; r < rows_at_once; r += few_rows) {
            if (!wanted(sub + r, few_rows)) continue;
            const Index center = sub + r + few_rows / 2;
            weights.form(center);
            reduce.formed(weights, sub + r, few_rows);
            const Real* ratio = ratios_of(tables, sub + r, few_rows, sub + r, weights.count);
            reduce.template together<few_rows>(r, Shared{tables, sub + r, center, middle, ratio}, weights);
          }
          reduce.store(sub);
          continue;
        }
        const Index center = sub + sharing / 2;
        weights.form(center);
        reduce.formed(weights, sub, sharing);
        for (Index i = sub; i < sub + sharing; i += rows_at_once) {
          if (!wanted(i, rows_at_once)) continue;
          const Real* ratio = ratios_of(tables, sub, sharing, i, weights.count);
          reduce.template together<rows_at_once>(0, Shared{tables, i, center, middle, ratio}, weights);
          reduce.store(i);
        }
      }
    }
  }
}

}  // namespace
}  // namespace hpot
