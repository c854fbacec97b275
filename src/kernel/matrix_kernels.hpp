// Reductions over the columns of a block of a matrix. Part of matrix_operator.cpp.
//
//   top_j = max_i (h_i - C_ij/eps),  sum_j = sum_i exp(h_i - C_ij/eps - top_j),  moment_j = sum_i exp(...) v_i or C_ij
// h = log_zero counts as nothing that matters: its terms vanish beside
// others; alone they leave top near log_zero.
#pragma once

#include "hpot/core/field.hpp"
#include "point_costs.hpp"

namespace hpot {
namespace {
namespace matrix {

inline constexpr int width = lanes::width;
inline constexpr Index strip = lanes::width > 1 ? 512 : 1;  // columns that are reduced together
inline constexpr int rows_at_once = 8;

/// What is averaged.
enum class Moment { none, value, cost };

KOKKOS_FORCEINLINE_FUNCTION Wide exponential(Wide x, bool brief) { return brief ? lanes::exp_short(x) : lanes::exp(x); }

/// (batch, outputs) of the sums; moment only where it is asked for.
struct Sums {
  Field top, sum, moment;
};

/// One strip of columns an item; h and v: (batch, rows). out: (batch, padded columns).
template <class T, Moment what>
struct ColumnSums {
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> cost;
  ConstField h, v;
  Sums out;
  Real rate;
  bool brief;
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index rows = static_cast<Index>(cost.extent(0));
    const Index columns = static_cast<Index>(cost.extent(1));
    const Index strips = (columns + strip - 1) / strip;
    const Index k = item / strips;
    const Index begin = item % strips * strip;
    const Index end = Kokkos::min(begin + strip, columns);
    for (Index j = begin; j < end; j += width) {
      lanes::store(&out.top(k, j), lanes::broadcast(2.0 * log_zero));
      lanes::store(&out.sum(k, j), lanes::broadcast(0.0));
      if constexpr (what != Moment::none) lanes::store(&out.moment(k, j), lanes::broadcast(0.0));
    }
    for (Index first = 0; first < rows; first += rows_at_once) {
      const auto count = static_cast<int>(Kokkos::min<Index>(rows_at_once, rows - first));
      for (Index j = begin; j < end; j += width) {
        Wide c[rows_at_once];
        Wide x[rows_at_once];
        const Wide top = lanes::load(&out.top(k, j));
        Wide raised = top;
        for (int r = 0; r < count; ++r) {
          c[r] = load_wide(&cost(first + r, j));
          x[r] = lanes::broadcast(h(k, first + r)) - c[r] * rate;
          raised = lanes::max(raised, x[r]);
        }
        const Wide shrunk = lanes::exp(top - raised);
        Wide sum = lanes::load(&out.sum(k, j)) * shrunk;
        Wide moment = lanes::broadcast(0.0);
        if constexpr (what != Moment::none) moment = lanes::load(&out.moment(k, j)) * shrunk;
        for (int r = 0; r < count; ++r) {
          const Wide e = exponential(x[r] - raised, brief);
          sum = sum + e;
          if constexpr (what == Moment::value) moment = moment + e * v(k, first + r);
          if constexpr (what == Moment::cost) moment = moment + e * c[r];
        }
        lanes::store(&out.top(k, j), raised);
        lanes::store(&out.sum(k, j), sum);
        if constexpr (what != Moment::none) lanes::store(&out.moment(k, j), moment);
      }
    }
  }
};

/// out_j = max_i (h_i + sign C_ij) over h_i > log_zero, log_zero where there are none.
template <class T>
struct ColumnMaxima {
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> cost;
  ConstField h;
  Field out;
  Index columns;
  Real sign;
  KOKKOS_FUNCTION void operator()(Index item) const {
    const Index strips = (columns + strip - 1) / strip;
    const Index k = item / strips;
    const Index begin = item % strips * strip;
    const Index end = Kokkos::min(begin + strip, columns);
    for (Index j = begin; j < end; ++j) out(k, j) = log_zero;
    for (Index i = 0; i < static_cast<Index>(cost.extent(0)); ++i) {
      if (!(h(k, i) > 0.5 * log_zero)) continue;
      const Real height = h(k, i);
      for (Index j = begin; j < end; ++j)
        out(k, j) = Kokkos::max(out(k, j), height + sign * static_cast<Real>(cost(i, j)));
    }
  }
};

}  // namespace matrix
}  // namespace
}  // namespace hpot
