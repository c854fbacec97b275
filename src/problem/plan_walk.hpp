// One row's walk through the boxes of the targets (plan_search.hpp).
// Ledger of a box or point visited: the cost, one division, 3 flops a criterion, one or two values of 8 bytes.
#pragma once

#include "hpot/problem/plan_search.hpp"

#include <cmath>
#include <type_traits>

namespace hpot {

template <class C>
struct PlanWalk {
  C cost;
  BoxLevels boxes;
  Real epsilon;
  Real log_share;
  ConstField source, row_share;
  Kokkos::View<const Real*, MemorySpace> target, column;
  Tilt tilt;
  Index first_row;
  BoxLevels sources;  // the grid of the rows

  /// The point of local row i.
  struct Point {
    Index index[3] = {0, 0, 0};
    Real x[3] = {0.0, 0.0, 0.0};
  };
  [[nodiscard]] KOKKOS_FUNCTION Point point(Index i) const {
    Point point;
    Index rest = first_row + i;
    for (int d = 0; d < boxes.dimension; ++d) {
      point.index[d] = rest % sources.n[d];
      point.x[d] = sources.origin[d] + static_cast<Real>(point.index[d]) * sources.spacing[d];
      rest /= sources.n[d];
    }
    return point;
  }

  /// c with V_j - C_ij/eps <= V_J - c/eps for all j in a box, less what rounding may have added; on level 0 the cost.
  [[nodiscard]] KOKKOS_FUNCTION Real least_cost(const Point& point, int level, const Index (&box)[3],
                                                Index rank) const {
    constexpr Real rounding = 1e-12;
    Real sum = 0.0;
    if constexpr (std::is_same_v<C, SquaredEuclidean>) {
      if (level > 0) {
        Real gain = 0.0;
        for (int d = 0; d < boxes.dimension; ++d) {
          const Real z = point.x[d] - boxes.centre(level, d, box[d]);
          sum += z * z;
          gain += 2.0 * Kokkos::fabs(z - tilt(rank - boxes.first[1], d)) * boxes.half_width(level, d, box[d]);
        }
        return sum - gain - rounding * (sum + gain);
      }
    }
    for (int d = boxes.dimension - 1; d >= 0; --d) {
      const Real below =
          point.x[d] - (boxes.origin[d] + static_cast<Real>(boxes.low(level, box[d])) * boxes.spacing[d]);
      const Real above =
          point.x[d] - (boxes.origin[d] + static_cast<Real>(boxes.high(level, d, box[d])) * boxes.spacing[d]);
      sum += cost.along_axis(Kokkos::max(Kokkos::min(below, 0.0), above));
    }
    const Real least = cost.of_sum(sum);
    return level == 0 ? least : least * (1.0 - rounding);
  }

  /// take(j, index of j along every axis, B_j - C_ij/eps) for every entry of local row i, box by box.
  template <class Take>
  KOKKOS_FUNCTION void for_entries(Index i, const Take& take) const {
    if (source(0, i) <= 0.5 * log_zero) return;
    const Point point = this->point(i);
    int level = boxes.top;
    Index box[3] = {0, 0, 0};
    while (true) {
      bool descend = true;
      for (int d = 0; d < boxes.dimension; ++d) descend = descend && box[d] < boxes.side(level, d);
      if (descend) {
        const Index rank =
            boxes.first[level] + (box[2] * boxes.side(level, 1) + box[1]) * boxes.side(level, 0) + box[0];
        const Real price = least_cost(point, level, box, rank) / epsilon;
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

/// use(walk) for the search's cost.
template <class Use>
void with_walk(const PlanSearch& search, Real share, const Use& use) {
  std::visit(
      [&](const auto& cost) {
        using Walk = PlanWalk<std::decay_t<decltype(cost)>>;
        use(Walk{cost, search.boxes, search.epsilon, std::log(share), search.source, search.row_share, search.target,
                 search.column, search.tilt, search.rows.range().begin, make_boxes(search.source_grid)});
      },
      search.cost);
}

}  // namespace hpot
