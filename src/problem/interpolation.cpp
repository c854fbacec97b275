#include "hpot/problem/interpolation.hpp"

#include "plan_walk.hpp"

#include <stdexcept>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
using Quanta = Kokkos::View<Index**, Kokkos::LayoutRight, MemorySpace>;  // (time, point)

constexpr Real quanta_of_plan = 0x1p62;

/// Ledger of an entry: the walk twice, one exp each; per time 2^d integer additions to memory.
template <class C>
struct SpreadRow {
  PlanWalk<GridPlaces<C>> walk;
  ConstField mass;
  Real plan_mass;
  Kokkos::View<const Real*, MemorySpace> times;
  Quanta frames;

  KOKKOS_FUNCTION void operator()(Index i) const {
    const Real row_mass = mass(0, i) / plan_mass * quanta_of_plan;
    if (row_mass < 0.5) return;
    Real kept = 0.0;
    walk.for_entries(i,
                     [&](Index, const Index(&)[3], Real reach) { kept += Kokkos::exp(walk.row_share(0, i) + reach); });
    const auto from = walk.places.point(i);
    walk.for_entries(i, [&](Index, const Index(&to)[3], Real reach) {
      const auto quanta =
          static_cast<Index>(Kokkos::round(row_mass * (Kokkos::exp(walk.row_share(0, i) + reach) / kept)));
      if (quanta == 0) return;
      for (Index k = 0; k < static_cast<Index>(times.extent(0)); ++k) spread(k, quanta, from.index, to);
    });
  }

  /// Axis by axis a part moves on to the next point; what is left stays.
  KOKKOS_FUNCTION void spread(Index k, Index quanta, const Index (&from)[3], const Index (&to)[3]) const {
    const BoxLevels& grid = walk.boxes;
    Index points[8] = {0};
    Index parts[8] = {quanta};
    int count = 1;
    Index stride = 1;
    for (int d = 0; d < grid.dimension; ++d) {
      const Real position = static_cast<Real>(from[d]) + times(k) * static_cast<Real>(to[d] - from[d]);
      const Index cell = Kokkos::min(static_cast<Index>(position), grid.n[d] - 1);
      const Real beyond = position - static_cast<Real>(cell);
      for (int c = 0; c < count; ++c) points[c] += cell * stride;
      if (beyond > 0.0 && cell + 1 < grid.n[d]) {
        for (int c = 0; c < count; ++c) {
          const auto part = static_cast<Index>(Kokkos::round(static_cast<Real>(parts[c]) * beyond));
          points[count + c] = points[c] + stride;
          parts[count + c] = Kokkos::min(part, parts[c]);
          parts[c] -= parts[count + c];
        }
        count *= 2;
      }
      stride *= grid.n[d];
    }
    // of integers: the sum is the same in any order
    for (int c = 0; c < count; ++c) Kokkos::atomic_add(&frames(k, points[c]), parts[c]);
  }
};

}  // namespace

std::vector<Real> interpolate(const PlanSearch& search, const std::vector<Real>& times) {
  const Index points = search.source_support.points();
  if (search.source_support.grid() == nullptr) throw std::logic_error("interpolate: no grid");
  if (points != search.target_support.points()) throw std::logic_error("interpolate: two grids");
  const Kokkos::View<Real*, MemorySpace> device_times("hpot::interpolate::times", times.size());
  Kokkos::deep_copy(device_times, Kokkos::View<const Real*, Kokkos::HostSpace>(times.data(), times.size()));
  const Quanta frames("hpot::interpolate::frames", times.size(), points);
  const Real share = interpolation_left_out / static_cast<Real>(points);
  std::visit(
      [&](const auto& cost) {
        const auto walk = walk_through(search, share, grid_places(search, cost));
        Kokkos::parallel_for(
            "hpot::interpolate", Policy(0, search.rows.local_n()),
            SpreadRow<std::decay_t<decltype(cost)>>{walk, search.mass, search.plan_mass, device_times, frames});
      },
      search.cost);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, frames);
  search.rows.along_rows.sum(host.data(), host.size());
  std::vector<Real> masses;
  if (search.rows.along_rows.rank() != 0) return masses;
  masses.reserve(host.size());
  for (std::size_t q = 0; q < host.size(); ++q)
    masses.push_back(static_cast<Real>(host.data()[q]) / quanta_of_plan * search.plan_mass);
  return masses;
}

std::vector<Real> frame_times(Index frames) {
  std::vector<Real> times;
  for (Index k = 0; k < frames; ++k) times.push_back(static_cast<Real>(k) / static_cast<Real>(frames - 1));
  return times;
}

}  // namespace hpot
