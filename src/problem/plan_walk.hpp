// One row's walk through the boxes of the targets (plan_search.hpp).
// Ledger of a box or point visited: the cost, one division, 3 flops a criterion, one or two values of 8 bytes.
#pragma once

#include "plan_places.hpp"

#include <cmath>

namespace hpot {

template <class Places>
struct PlanWalk {
  Places places;
  BoxLevels boxes;
  Real epsilon;
  Real log_share;
  ConstField source, row_share;
  Kokkos::View<const Real*, MemorySpace> target, column;
  BoxAxes tilt;

  /// c with V_j - C_ij/eps <= V_J - c/eps for all j in a box, less what rounding may have added; on level 0 the cost.
  [[nodiscard]] KOKKOS_FUNCTION Real least_cost(const RowPlace& place, int level, const Index (&box)[3],
                                                Index rank) const {
    constexpr Real rounding = 1e-12;
    if (level == 0) return places.cost(place, box, rank);
    if constexpr (Places::tilted) {
      Real sum = 0.0;
      Real gain = 0.0;
      for (int d = 0; d < places.cells.axes(); ++d) {
        const Real z = place.x[d] - places.cells.centre(level, d, box);
        sum += z * z;
        gain += 2.0 * Kokkos::fabs(z - tilt(rank - boxes.first[1], d)) * places.cells.half_width(level, d, box);
      }
      return sum - gain - rounding * (sum + gain);
    } else {
      return places.nearest(place, level, box) * (1.0 - rounding);
    }
  }

  /// take(j, index of j along every axis of a grid, B_j - C_ij/eps) for every entry of local row i, box by box.
  template <class Take>
  KOKKOS_FUNCTION void for_entries(Index i, const Take& take) const {
    if (source(0, i) <= 0.5 * log_zero) return;
    const RowPlace place = places.point(i);
    int level = boxes.top;
    Index box[3] = {0, 0, 0};
    while (true) {
      bool descend = true;
      for (int d = 0; d < boxes.dimension; ++d) descend = descend && box[d] < boxes.side(level, d);
      if (descend) {
        const Index rank =
            boxes.first[level] + (box[2] * boxes.side(level, 1) + box[1]) * boxes.side(level, 0) + box[0];
        const Real price = least_cost(place, level, box, rank) / epsilon;
        const Real reach = target(rank) - price;
        descend =
            reach > 0.5 * log_zero && (row_share(0, i) + reach >= log_share ||
                                       (column.extent(0) > 0 && source(0, i) + (column(rank) - price) >= log_share));
        if (descend && level == 0) take(rank, box, reach);
      }
      if (descend && level > 0) {
        --level;
        for (int d = 0; d < boxes.dimension; ++d) box[d] *= 2;
        continue;
      }
      // the next box: of this one's brothers, else of its parent's
      while (level < boxes.top) {
        int d = 0;
        while (d < boxes.dimension && (box[d] & 1) == 1) box[d++] -= 1;
        if (d < boxes.dimension) {
          box[d] += 1;
          break;
        }
        for (int e = 0; e < boxes.dimension; ++e) box[e] /= 2;
        ++level;
      }
      if (level == boxes.top) return;
    }
  }
};

template <class Places>
PlanWalk<Places> walk_through(const PlanSearch& search, Real share, const Places& places) {
  return {places,           search.boxes,  search.epsilon, std::log(share), search.source,
          search.row_share, search.target, search.column,  search.tilt};
}

template <class C>
GridPlaces<C> grid_places(const PlanSearch& search, const C& cost) {
  return {cost, {search.boxes}, {make_boxes(search.source_support)}, search.rows.range().begin};
}

/// use(walk) for the search's supports and cost.
template <class Use>
void with_walk(const PlanSearch& search, Real share, const Use& use) {
  if (search.matrix != nullptr) {
    if (search.matrix->narrow.extent(1) > 0) {
      use(walk_through(search, share, MatrixPlaces<float>{search.matrix->narrow}));
    } else {
      use(walk_through(search, share, MatrixPlaces<Real>{search.matrix->wide}));
    }
    return;
  }
  std::visit(
      [&](const auto& cost) {
        using C = std::decay_t<decltype(cost)>;
        if (search.source_support.grid() != nullptr) {
          use(walk_through(search, share, grid_places(search, cost)));
        } else {
          const CloudCells cells{search.boxes, search.target_points, search.ends};
          use(walk_through(search, share,
                           CloudPlaces<C>{cost, cells, search.source_points, search.rows.range().begin}));
        }
      },
      search.cost);
}

}  // namespace hpot
