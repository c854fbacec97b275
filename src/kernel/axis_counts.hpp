// What the windows of a pass hold, counted by the search that forms them. Part of axis_kernels.cpp and kept_weights.cpp.
#pragma once

#include "axis_weights.hpp"

namespace hpot {
namespace {

struct CountOfWindows {
  enum { windows, weights, stores, products, kinds };  // stores: of six outputs each
  Index counts[kinds] = {};

  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void formed(const Weights& formed, Index, Index) {
    counts[windows] += 1;
    counts[weights] += formed.count;
  }
  template <class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void alone(Index, Index i, const Weights& formed_alone) {
    formed(formed_alone, i, 1);
  }
  template <Index rows, class Weights>
  KOKKOS_FORCEINLINE_FUNCTION void together(Index, const Shared&, const Weights& shared) {
    counts[products] += shared.count * rows;
  }
  KOKKOS_FORCEINLINE_FUNCTION void store(Index) { counts[stores] += 1; }
};

using ItemCounts = Kokkos::View<Index * [CountOfWindows::kinds], MemorySpace>;

struct CountTiles {
  TileWork work;
  ItemCounts counts;

  KOKKOS_FUNCTION static Index scratch_values(Index n) { return WindowedTile::scratch_values(n) + n; }

  KOKKOS_FUNCTION void operator()(const Team& team) const {
    const Tables& tables = work.tables;
    const auto item = work.item(team.league_rank());
    const Index n = tables.n_in;
    Wide* scratch = scratch_of(team, scratch_values(n));
    WindowedTile tile(work, item, tables.scaled, work.pass.cut, tables.group, scratch);
    CountOfWindows reduce;
    if (!tile.all_dead()) {
      Weights<Precision::full> weights{tile, tables, scratch + WindowedTile::scratch_values(n)};
      for_windows(item, tile, weights, reduce);
    }
    for (int kind = 0; kind < CountOfWindows::kinds; ++kind) counts(team.league_rank(), kind) = reduce.counts[kind];
  }
};

/// For every work item, in the lines of one lane.
inline ItemCounts::host_mirror_type counts_of_items(const TileWork& work) {
  const ItemCounts counts("hpot::count_windows", work.items());
  work.run("hpot::count_windows", CountTiles{work, counts}, CountTiles::scratch_values(work.tables.n_in));
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, counts);
}

/// The pass with a cut that its cost allows.
inline AxisPass windowed(const AxisCost& cost, const AxisPass& pass) {
  AxisPass allowed = pass;
  allowed.cut = fraction_cut(cost, pass.cut);
  return allowed;
}

}  // namespace
}  // namespace hpot
