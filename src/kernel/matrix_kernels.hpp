// Reductions over the rows and the columns of a block of a matrix. Private to kernel/matrix_*.cpp.
//
//   top_i = max_j (h_j - C_ij/eps),  sum_i = sum_j exp(h_j - C_ij/eps - top_i),  moment_i = sum_j exp(...) v_j or C_ij
// along rows, or along columns with i and j changed. h = log_zero counts as nothing that matters: its terms vanish beside
// others; alone they leave top near log_zero.
#pragma once

#include "hpot/core/field.hpp"
#include "hpot/kernel/lanes.hpp"

namespace hpot::matrix {

using lanes::Wide;

inline constexpr int width = lanes::width;
inline constexpr Index strip = lanes::width > 1 ? 512 : 1;  // columns that are reduced together
inline constexpr int rows_at_once = 8;

/// What is averaged.
enum class Moment { none, value, cost };

KOKKOS_FORCEINLINE_FUNCTION Wide load(const double* from) { return lanes::load(from); }
#if HPOT_LANES > 1
KOKKOS_FORCEINLINE_FUNCTION Wide load(const float* from) {
  lanes::Narrow values;
  std::memcpy(&values, from, sizeof values);
  return lanes::widen(values);
}
#else
KOKKOS_FORCEINLINE_FUNCTION Wide load(const float* from) { return static_cast<double>(*from); }
#endif

KOKKOS_FORCEINLINE_FUNCTION Wide exponential(Wide x, bool brief) { return brief ? lanes::exp_short(x) : lanes::exp(x); }

KOKKOS_FORCEINLINE_FUNCTION Real largest_lane(Wide a) {
  Real top = lanes::lane(a, 0);
  for (int l = 1; l < width; ++l) top = Kokkos::max(top, lanes::lane(a, l));
  return top;
}
KOKKOS_FORCEINLINE_FUNCTION Real sum_of_lanes(Wide a) {
  Real sum = lanes::lane(a, 0);
  for (int l = 1; l < width; ++l) sum += lanes::lane(a, l);
  return sum;
}

/// (batch, outputs) of the sums; moment only where it is asked for.
struct Sums {
  Field top, sum, moment;
};

/// h and v: (batch, padded columns), padded with log_zero and 0.
template <class T, Moment what>
struct RowSums {
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> cost;
  ConstField h, v;
  Sums out;
  Real rate;  // 1/eps
  bool brief;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index rows = static_cast<Index>(cost.extent(0));
    const Index columns = static_cast<Index>(cost.extent(1));
    const Index k = rank / rows;
    const Index i = rank % rows;
    const T* c = &cost(i, 0);
    const Real* exponents = &h(k, 0);
    Real top = 2.0 * log_zero;
    Wide sum = lanes::broadcast(0.0);
    Wide moment = lanes::broadcast(0.0);
    Real scratch[strip];
    for (Index begin = 0; begin < columns; begin += strip) {
      const Index end = Kokkos::min(begin + strip, columns);
      Wide highest = lanes::broadcast(2.0 * log_zero);
      for (Index j = begin; j < end; j += width) {
        const Wide x = lanes::load(exponents + j) - load(c + j) * rate;
        highest = lanes::max(highest, x);
        lanes::store(scratch + (j - begin), x);
      }
      const Real raised = Kokkos::max(top, largest_lane(highest));
      const Real shrunk = Kokkos::exp(top - raised);
      sum = sum * shrunk;
      if constexpr (what != Moment::none) moment = moment * shrunk;
      top = raised;
      for (Index j = begin; j < end; j += width) {
        const Wide e = exponential(lanes::load(scratch + (j - begin)) - top, brief);
        sum = sum + e;
        if constexpr (what == Moment::value) moment = moment + e * lanes::load(&v(k, j));
        if constexpr (what == Moment::cost) moment = moment + e * load(c + j);
      }
    }
    out.top(k, i) = top;
    out.sum(k, i) = sum_of_lanes(sum);
    if constexpr (what != Moment::none) out.moment(k, i) = sum_of_lanes(moment);
  }
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
          c[r] = load(&cost(first + r, j));
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

/// out_i = max_j (h_j + sign C_ij) over h_j > log_zero, log_zero where there are none.
template <class T>
struct RowMaxima {
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> cost;
  ConstField h;
  Field out;
  Index columns;
  Real sign;
  KOKKOS_FUNCTION void operator()(Index rank) const {
    const Index rows = static_cast<Index>(cost.extent(0));
    const Index k = rank / rows;
    const Index i = rank % rows;
    Real best = log_zero;
    for (Index j = 0; j < columns; ++j) {
      if (h(k, j) > 0.5 * log_zero) best = Kokkos::max(best, h(k, j) + sign * static_cast<Real>(cost(i, j)));
    }
    out(k, i) = best;
  }
};

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

}  // namespace hpot::matrix
