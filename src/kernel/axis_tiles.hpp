// Tiles of lines for the CPU form of the axis kernels: a work item is a tile of lanes::width lines and some or all of their
// outputs; the tile is copied to scratch, entry by entry a vector. Part of axis_kernels.cpp and kept_weights.cpp (hence the
// unnamed namespace).
#pragma once

#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/lanes.hpp"

namespace hpot {
namespace {

using lanes::Narrow;
using lanes::Wide;
using Team = Kokkos::TeamPolicy<ExecutionSpace>::member_type;

constexpr Index items_per_thread = 8;  // so many work items are enough; then each takes all outputs of its tile
constexpr int level = 1;               // of scratch: lines of any length; a CPU's level 0 ends at 32 KiB

enum class MeanOf { values, values_and_costs };

/// Raw tables of one axis, as kernels capture them.
struct Tables {
  const Real* scaled;
  const Real* kernel;
  const Real* cost;
  const Real* ratios;
  const Index* nearest;
  Index step_out, step_in, shift, n_in, n_out, group, largest_ratio;
  Real largest_scaled, bilinear;

  explicit Tables(const AxisCost& axis)
      : scaled(axis.scaled.data()),
        kernel(axis.kernel.data()),
        cost(axis.cost.data()),
        ratios(axis.ratios.data()),
        nearest(axis.nearest.data()),
        step_out(axis.step_out),
        step_in(axis.step_in),
        shift(axis.shift),
        n_in(axis.n_in()),
        n_out(axis.n_out()),
        group(axis.group()),
        largest_ratio(axis.largest_ratio()),
        largest_scaled(axis.largest_scaled()),
        bilinear(axis.bilinear()) {}

  /// Pointer p with p[-step_in * j] the entry of (i, j).
  KOKKOS_FORCEINLINE_FUNCTION const Real* row(const Real* table, Index i) const { return table + step_out * i + shift; }
};

/// Work items and what they share. Items are whole stretches of outputs, cut where the pass begins and ends; what an output
/// becomes does not depend on the item that forms it.
struct TileWork {
  AxisPass pass;
  Tables tables;
  Index run_lines, tiles_of_run, tiles, chunks, per_item;

  TileWork(const AxisCost& axis, const AxisPass& p)
      : pass(p),
        tables(axis),
        run_lines(p.run > 0 ? p.run : p.lines),
        tiles_of_run((run_lines + lanes::width - 1) / Index{lanes::width}),
        tiles(run_lines > 0 ? p.lines / run_lines * tiles_of_run : 0) {
    const Index stretches = (p.first + p.count + stretch - 1) / stretch - p.first / stretch;
    const Index wanted = items_per_thread * ExecutionSpace{}.concurrency();
    const Index most = Kokkos::max<Index>(1, stretches);
    chunks = Kokkos::clamp<Index>((wanted + p.batch * tiles - 1) / Kokkos::max<Index>(1, p.batch * tiles), 1, most);
    per_item = (most + chunks - 1) / chunks * stretch;
  }

  [[nodiscard]] Index items() const { return pass.batch * tiles * chunks; }

  struct Item {
    Index k, line, lines_here, begin, end;  // batch entry, first line, valid lanes, outputs of the axis
  };
  KOKKOS_FORCEINLINE_FUNCTION Item item(Index rank) const {
    const Index c = rank % chunks;
    const Index t = rank / chunks % tiles;
    Index which = t / tiles_of_run;
    Index at = t % tiles_of_run * lanes::width;
    if (pass.run_stride > 1) {  // tiles of neighbouring runs one after the other: they lie in the same cache lines
      const Index first = which / lanes::width * lanes::width;
      const Index runs = Kokkos::min<Index>(lanes::width, pass.run_stride - first);
      const Index within = t - first * tiles_of_run;
      which = first + within % runs;
      at = within / runs * lanes::width;
    }
    const Index line = pass.run_stride == 1 ? which * run_lines + at : which + at * pass.run_stride;
    const Index begin = pass.first / stretch * stretch + c * per_item;
    return {rank / chunks / tiles, line, Kokkos::min<Index>(lanes::width, run_lines - at),
            Kokkos::max<Index>(begin, pass.first), Kokkos::min<Index>(begin + per_item, pass.first + pass.count)};
  }

  /// Lanes without a line get `padding`.
  KOKKOS_FORCEINLINE_FUNCTION void load_tile(const Item& item, const Real* array, Wide* tile, Real padding) const {
    const Real* from = array + (item.k * tables.n_in) * pass.lines + item.line;
    if (item.lines_here == lanes::width && pass.run_stride == 1) {
      for (Index j = 0; j < tables.n_in; ++j) tile[j] = lanes::load(from + j * pass.lines);
      return;
    }
    Real padded[lanes::width];
    for (int l = 0; l < lanes::width; ++l) padded[l] = padding;
    for (Index j = 0; j < tables.n_in; ++j) {
      for (Index l = 0; l < item.lines_here; ++l) padded[l] = from[j * pass.lines + l * pass.run_stride];
      tile[j] = lanes::load(padded);
    }
  }

  /// Those of the outputs [i, i + rows_at_once) that belong to the item.
  KOKKOS_FORCEINLINE_FUNCTION void store_outputs(const Item& item, Index i, const Wide* values, Real* array) const {
    Real* to = array + (item.k * pass.lines + item.line) * pass.count + (i - pass.first);
    if (i >= item.begin && i + rows_at_once <= item.end && item.lines_here == lanes::width) {
      lanes::store_transposed(to, pass.run_stride * pass.count, values);
      return;
    }
    const Index first = Kokkos::max<Index>(0, item.begin - i);
    const Index last = Kokkos::min<Index>(rows_at_once, item.end - i);
    for (Index l = 0; l < item.lines_here; ++l) {
      for (Index r = first; r < last; ++r)
        to[l * pass.run_stride * pass.count + r] = lanes::lane(values[r], static_cast<int>(l));
    }
  }

  template <class Functor>
  void run(const char* label, const Functor& functor, Index scratch_values) const {
    Kokkos::TeamPolicy<ExecutionSpace> policy(static_cast<int>(items()), 1);
    policy.set_scratch_size(level, Kokkos::PerTeam(static_cast<int>((scratch_values + 8) * sizeof(Wide))));
    Kokkos::parallel_for(label, policy, functor);
  }
};

/// `value` for all outputs of the item.
KOKKOS_FORCEINLINE_FUNCTION void fill(const TileWork& work, const TileWork::Item& item, Real value, Real* array) {
  Wide values[rows_at_once];
  for (auto& v : values) v = lanes::broadcast(value);
  for (Index i = item.begin / rows_at_once * rows_at_once; i < item.end; i += rows_at_once)
    work.store_outputs(item, i, values, array);
}

KOKKOS_FORCEINLINE_FUNCTION Wide* scratch_of(const Team& team, Index values) {
  constexpr std::size_t alignment = 64;
  return static_cast<Wide*>(team.team_scratch(int{level}).get_shmem_aligned(values * sizeof(Wide), alignment));
}

/// sum[r] = sum over j < n of factor[j] * t[j * step + r * row_step]: two registers for each of six outputs hide the latency.
template <Index rows = rows_at_once>
KOKKOS_FORCEINLINE_FUNCTION void multiply_rows(const Wide* factor, Index n, const Real* t, Index step, Index row_step,
                                               Wide* sum) {
  Wide s[rows];
  for (auto& value : s) value = lanes::broadcast(0.0);
  for (Index j = 0; j < n; ++j, t += step) {
    const Wide f = factor[j];
#pragma GCC unroll 6
    for (Index r = 0; r < rows; ++r) s[r] = s[r] + f * t[r * row_step];
  }
  for (Index r = 0; r < rows; ++r) sum[r] = s[r];
}

}  // namespace
}  // namespace hpot
