// Both half-steps in one visit to the matrix. Private to kernel/matrix_operator.cpp.
//
//   x_ij = g_j/eps - C_ij/eps,  top_i = max_j (log b_j + x_ij),  e_ij = exp(x_ij - top_i),  t_i = sum_j b_j e_ij
//   s_i = -eps (top_i + log t_i),  f_i = prox_a(s_i)
//   q_i = exp(log a_i + f_i/eps + top_i),  c_j = sum_i q_i e_ij,  softmin(log a + f/eps)_j = g_j - eps log c_j
// A few rows at a time: their e_ij stay in the second-level cache until their part of all columns is added.
//
// Ledger per entry: 8 bytes (4 for floats) from memory, one exponential, about 9 flops; two visits take twice the bytes and
// two exponentials.
#pragma once

#include "matrix_kernels.hpp"

namespace hpot::matrix {

using Values = Kokkos::View<Real*, MemorySpace>;
using ChunkSums = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;

inline constexpr Index most_chunks = 64;                // blocks of rows with column sums of their own
inline constexpr Index cached_values = Index{1} << 16;  // of e_ij

/// Rows at a time, so that their e_ij stay in the cache.
inline int rows_in_cache(Index columns) {
  return static_cast<int>(Kokkos::max<Index>(1, Kokkos::min<Index>(rows_at_once, cached_values / columns)));
}

/// A team (of one thread) takes a chunk of rows. Target values are padded: u = g/eps and log_b with log_zero, b with 0. e is
/// kept relative to the largest exponent up to the end of its strip of columns.
template <class T, class Penalty>
struct OneVisit {
  using Team = Kokkos::TeamPolicy<ExecutionSpace>::member_type;
  Kokkos::View<T**, Kokkos::LayoutRight, MemorySpace> cost;
  Values u, log_b, b;
  ConstField log_a;
  Field f;
  ChunkSums sums;  // (chunks, padded columns and sum of q)
  Penalty penalty;
  Real epsilon;
  int at_once;
  bool brief;

  [[nodiscard]] static Index strips(Index columns) { return (columns + strip - 1) / strip; }
  [[nodiscard]] static std::size_t scratch_bytes(int rows, Index columns) {
    return rows * (columns * sizeof(Real) + strips(columns) * sizeof(Real)) + 2 * sizeof(Wide);
  }

  /// e of row i to `e`, the largest exponents up to every strip's end to `tops`.
  KOKKOS_FUNCTION void visit_row(Index i, Real* e, Real* tops) const {
    const Index columns = static_cast<Index>(cost.extent(1));
    const Real rate = 1.0 / epsilon;
    const T* c = &cost(i, 0);
    Real top = 2.0 * log_zero;
    Wide total = lanes::broadcast(0.0);
    Real scratch[strip];
    for (Index begin = 0; begin < columns; begin += strip) {
      const Index end = Kokkos::min(begin + strip, columns);
      Wide highest = lanes::broadcast(2.0 * log_zero);
      for (Index j = begin; j < end; j += width) {
        const Wide x = lanes::load(&u(j)) - load(c + j) * rate;
        highest = lanes::max(highest, x + lanes::load(&log_b(j)));
        lanes::store(scratch + (j - begin), x);
      }
      const Real raised = Kokkos::max(top, largest_lane(highest));
      total = total * Kokkos::exp(top - raised);
      top = raised;
      tops[begin / strip] = top;
      for (Index j = begin; j < end; j += width) {
        const Wide value = exponential(lanes::load(scratch + (j - begin)) - top, brief);
        total = total + value * lanes::load(&b(j));
        lanes::store(e + j, value);
      }
    }
    f(0, i) = penalty.prox(-epsilon * (top + Kokkos::log(sum_of_lanes(total))), epsilon);
  }

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Index rows = static_cast<Index>(cost.extent(0));
    const Index columns = static_cast<Index>(cost.extent(1));
    const Index chunk = team.league_rank();
    const Index chunks = static_cast<Index>(sums.extent(0));
    const Index all_strips = (columns + strip - 1) / strip;
    auto* const tops = static_cast<Real*>(team.team_scratch(1).get_shmem(at_once * all_strips * sizeof(Real)));
    auto* const e = static_cast<Real*>(team.team_scratch(1).get_shmem(at_once * columns * sizeof(Real)));
    Real* const sum = &sums(chunk, 0);
    for (Index j = 0; j < columns; j += width) lanes::store(sum + j, lanes::broadcast(0.0));
    sum[columns] = 0.0;
    const Index last = rows * (chunk + 1) / chunks;
    for (Index first = rows * chunk / chunks; first < last; first += at_once) {
      const auto count = static_cast<int>(Kokkos::min<Index>(at_once, last - first));
      Real height[rows_at_once];  // log a + f/eps
      Real largest = 0.0;
      for (int r = 0; r < count; ++r) {
        visit_row(first + r, e + r * columns, tops + r * all_strips);
        height[r] = log_a(0, first + r) + f(0, first + r) / epsilon;
        largest += Kokkos::exp(height[r] + tops[(r + 1) * all_strips - 1]);
      }
      sum[columns] += largest;
      for (Index begin = 0; begin < columns; begin += strip) {
        const Index end = Kokkos::min(begin + strip, columns);
        Real q[rows_at_once];
        for (int r = 0; r < count; ++r) q[r] = Kokkos::exp(height[r] + tops[r * all_strips + begin / strip]);
        for (Index j = begin; j < end; j += width) {
          Wide all = lanes::load(sum + j);
          for (int r = 0; r < count; ++r) all = all + lanes::load(e + r * columns + j) * q[r];
          lanes::store(sum + j, all);
        }
      }
    }
  }
};

}  // namespace hpot::matrix
