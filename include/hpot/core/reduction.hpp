// Sums over the points of a distributed index set that do not depend on the number of ranks or threads: each tile is
// summed in a fixed order, tile sums are exchanged, and added in the order of the tiles.
#pragma once

#include "hpot/core/partition.hpp"

namespace hpot {

/// The rows of one index set that this rank owns, and the ranks that own the others.
struct OwnedRows {
  Partition partition;
  Communicator along_rows;
  [[nodiscard]] Range range() const { return partition.block(along_rows.rank()); }
  [[nodiscard]] Index local_n() const { return range().size(); }
};

/// Partial sums (batch x quantities, tiles) of all ranks to totals. Collective along rows.
std::vector<Real> add_tiles(const OwnedRows& rows, const HostField& partial);

/// Of values of all points those of the owned rows; of owned ones all. Local.
std::vector<Real> owned_values(std::vector<Real> values, const OwnedRows& rows);

/// The sum of v / `unit` over all points, of which `values` holds all or the owned ones. Collective along rows.
Real total(const OwnedRows& rows, const std::vector<Real>& values, Real unit = 1.0);

/// partial(k, t) = sum of value(k, i) over the points of tile t, for the tiles owned here; others stay. Local.
template <class Value>
void tile_sums(const char* label, const OwnedRows& rows, Index batch, const Value& value, const HostField& partial) {
  constexpr bool on_host = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemorySpace>::accessible;
  const Index tile = rows.partition.tile();
  const Index local_n = rows.local_n();
  const Index tiles_here = (local_n + tile - 1) / tile;
  const Index first_tile = rows.range().begin / tile;
  const auto sums = Kokkos::create_mirror_view_and_copy(MemorySpace{}, partial);
  using Policy = Kokkos::TeamPolicy<ExecutionSpace>;
  Kokkos::parallel_for(
      label, Policy(static_cast<int>(batch * tiles_here), on_host ? 1 : 128),
      KOKKOS_LAMBDA(const Policy::member_type& team) {
        const Index k = team.league_rank() / tiles_here;
        const Index t = team.league_rank() % tiles_here;
        Real sum = 0.0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, t * tile, Kokkos::min((t + 1) * tile, local_n)),
            [&](Index i, Real& s) { s += value(k, i); }, sum);
        Kokkos::single(Kokkos::PerTeam(team), [&] { sums(k, first_tile + t) = sum; });
      });
  Kokkos::deep_copy(partial, sums);
}

/// sums[k] = sum over all points i of value(k, i), i counting the local rows. Collective along rows.
template <class Value>
std::vector<Real> sum_over_points(const char* label, const OwnedRows& rows, Index batch, const Value& value) {
  const HostField partial("hpot::sum_over_points", batch, rows.partition.tiles());
  tile_sums(label, rows, batch, value, partial);
  return add_tiles(rows, partial);
}

}  // namespace hpot
