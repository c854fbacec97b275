#include "plan_boxes.hpp"

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

Policy boxes_of(const BoxLevels& boxes, int level) { return Policy(0, boxes.first[level + 1] - boxes.first[level]); }

/// A box above level 0, and its boxes of the level below.
struct Parent {
  BoxLevels boxes;
  int level;
  Index box[3];
  KOKKOS_FUNCTION Parent(const BoxLevels& all, int at_level, Index rank) : boxes(all), level(at_level) {
    const Index nx = boxes.side(level, 0), ny = boxes.side(level, 1);
    box[0] = rank % nx;
    box[1] = rank / nx % ny;
    box[2] = rank / nx / ny;
  }
  /// use(child's axes, child's rank among all boxes).
  template <class Use>
  KOKKOS_FUNCTION void for_children(const Use& use) const {
    const Index nx = boxes.side(level - 1, 0), ny = boxes.side(level - 1, 1), nz = boxes.side(level - 1, 2);
    Index child[3];
    for (child[2] = 2 * box[2]; child[2] < Kokkos::min(2 * box[2] + 2, nz); ++child[2]) {
      for (child[1] = 2 * box[1]; child[1] < Kokkos::min(2 * box[1] + 2, ny); ++child[1]) {
        for (child[0] = 2 * box[0]; child[0] < Kokkos::min(2 * box[0] + 2, nx); ++child[0])
          use(child, boxes.first[level - 1] + (child[2] * ny + child[1]) * nx + child[0]);
      }
    }
  }
};

/// The slope of g by least squares over the points of a box: S z = m, S the coordinates' second moments about their mean, m
/// those with g, by Cholesky's factors; what the points do not span is made small by a part in 10^6 of S's trace.
struct LeastSquares {
  Real moments[3][3] = {{0.0}};
  Real with_g[3] = {0.0};

  KOKKOS_FUNCTION LeastSquares(const CloudCells& cells, const BoxValues& g, Index begin, Index end) {
    const int axes = cells.axes();
    constexpr Real largest = 1e100;  // what nothing reaches has no slope
    Real mean[3] = {0.0}, mean_g = 0.0, count = 0.0;
    for (Index p = begin; p < end; ++p) {
      if (!(Kokkos::fabs(g(p)) < largest)) continue;
      count += 1.0;
      mean_g += (g(p) - mean_g) / count;
      for (int d = 0; d < axes; ++d) mean[d] += (cells.points(p, d) - mean[d]) / count;
    }
    for (Index p = begin; p < end; ++p) {
      if (!(Kokkos::fabs(g(p)) < largest)) continue;
      for (int d = 0; d < axes; ++d) {
        const Real x = cells.points(p, d) - mean[d];
        with_g[d] += x * (g(p) - mean_g);
        for (int e = 0; e < axes; ++e) moments[d][e] += x * (cells.points(p, e) - mean[e]);
      }
    }
  }

  /// 0 where all points are one.
  KOKKOS_FUNCTION void solve(int axes, Real (&slope)[3]) {
    constexpr Real part = 1e-6;
    Real trace = 0.0;
    for (int d = 0; d < axes; ++d) trace += moments[d][d];
    for (int d = 0; d < axes; ++d) slope[d] = with_g[d];
    if (!(trace > 1e-80 && trace < 1e200)) {
      for (int d = 0; d < axes; ++d) slope[d] = 0.0;
      return;
    }
    for (int d = 0; d < axes; ++d) {
      for (int e = 0; e <= d; ++e) {
        Real sum = moments[d][e] + (d == e ? part * trace : 0.0);
        for (int k = 0; k < e; ++k) sum -= moments[d][k] * moments[e][k];
        moments[d][e] = d == e ? Kokkos::sqrt(Kokkos::max(sum, 0.5 * part * trace)) : sum / moments[e][e];
      }
      for (int k = 0; k < d; ++k) slope[d] -= moments[d][k] * slope[k];
      slope[d] /= moments[d][d];
    }
    for (int d = axes - 1; d >= 0; --d) {
      for (int k = d + 1; k < axes; ++k) slope[d] -= moments[k][d] * slope[k];
      slope[d] /= moments[d][d];
    }
  }
};

template <class Cells>
void fill_tilted_of(const Cells& cells, const BoxAxes& tilt, Real epsilon, const BoxValues& values) {
  const BoxLevels& boxes = cells.boxes;
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_tilted", boxes_of(boxes, level), KOKKOS_LAMBDA(Index b) {
          const BoxLevels& all = cells.boxes;
          const Parent parent(all, level, b);
          const Index rank = all.first[level] - all.first[1] + b;
          Real largest = 2.0 * log_zero;
          parent.for_children([&](const Index(&box)[3], Index child) {
            if (values(child) <= 0.5 * log_zero) return;
            Real sum = 0.0;
            Real size = 0.0;
            for (int d = 0; d < cells.axes(); ++d) {
              const Real o = cells.centre(level - 1, d, box) - cells.centre(level, d, parent.box);
              const Real z = tilt(rank, d);
              const Real inner = level > 1 ? tilt(child - all.first[1], d) : 0.0;
              const Real rest = 2.0 * Kokkos::fabs(z - inner - o) * cells.half_width(level - 1, d, box);
              sum += 2.0 * z * o - o * o + rest;
              size += 2.0 * Kokkos::fabs(z * o) + o * o + rest;
            }
            const Real rounding = 1e-13 * (Kokkos::fabs(values(child)) + size / epsilon);
            largest = Kokkos::max(largest, values(child) + sum / epsilon + rounding);
          });
          values(all.first[level] + b) = largest;
        });
  }
}

}  // namespace

void fill_ends(const BoxLevels& boxes, const Points& points, const BoxAxes& ends) {
  const int axes = static_cast<int>(ends.extent(1)) / 2;
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_ends", boxes_of(boxes, level), KOKKOS_LAMBDA(Index b) {
          const CloudCells cells{boxes, points, ends};
          for (int d = 0; d < axes; ++d) {
            Real low = infinity, high = -infinity;
            Parent(boxes, level, b).for_children([&](const Index(&child)[3], Index) {
              low = Kokkos::min(low, cells.low(level - 1, d, child));
              high = Kokkos::max(high, cells.high(level - 1, d, child));
            });
            ends(boxes.first[level] - boxes.first[1] + b, d) = low;
            ends(boxes.first[level] - boxes.first[1] + b, axes + d) = high;
          }
        });
  }
}

void fill_tilt(const GridCells& cells, const BoxValues& g, const BoxAxes& tilt) {
  const BoxLevels& boxes = cells.boxes;
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_tilt", boxes_of(boxes, level), KOKKOS_LAMBDA(Index b) {
          const BoxLevels& all = cells.boxes;
          const Parent parent(all, level, b);
          Index low[3] = {0, 0, 0}, high[3] = {0, 0, 0};
          for (int d = 0; d < all.dimension; ++d) {
            low[d] = all.low(level, parent.box[d]);
            high[d] = all.high(level, d, parent.box[d]);
          }
          for (int d = 0; d < all.dimension; ++d) {
            Index ends[2] = {0, 0};
            for (int e = all.dimension - 1; e >= 0; --e) {
              ends[0] = ends[0] * all.n[e] + (e == d ? low[e] : (low[e] + high[e]) / 2);
              ends[1] = ends[1] * all.n[e] + (e == d ? high[e] : (low[e] + high[e]) / 2);
            }
            const Real width = static_cast<Real>(high[d] - low[d]) * all.spacing[d];
            const Real most = 4.0 * static_cast<Real>(all.n[d]) * all.spacing[d];
            const Real z = width > 0.0 ? -0.5 * (g(ends[1]) - g(ends[0])) / width : 0.0;
            tilt(all.first[level] - all.first[1] + b, d) = Kokkos::max(-most, Kokkos::min(z, most));
          }
        });
  }
}

void fill_tilt(const CloudCells& cells, const BoxValues& g, const BoxAxes& tilt) {
  constexpr int small = 6;         // levels whose boxes have slopes of their own
  constexpr Real widths = 1024.0;  // of all points; the other side may be far away
  const BoxLevels& boxes = cells.boxes;
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_tilt_of_cloud", boxes_of(boxes, level), KOKKOS_LAMBDA(Index b) {
          const BoxLevels& all = cells.boxes;
          const Index rank = all.first[level] - all.first[1] + b;
          const Index root[3] = {0, 0, 0};
          const int axes = cells.axes();
          Real z[3] = {0.0, 0.0, 0.0};
          if (level <= small) {
            LeastSquares(cells, g, all.low(level, b), all.high(level, 0, b) + 1).solve(axes, z);
            for (int d = 0; d < axes; ++d) z[d] *= -0.5;
          } else {
            const Index box[3] = {b, 0, 0};
            Real children = 0.0;
            Parent(all, level, b).for_children([&](const Index(&child)[3], Index at) {
              children += 1.0;
              for (int d = 0; d < axes; ++d) z[d] += tilt(at - all.first[1], d) + cells.centre(level - 1, d, child);
            });
            for (int d = 0; d < axes; ++d) z[d] = z[d] / children - cells.centre(level, d, box);
          }
          for (int d = 0; d < axes; ++d) {
            const Real most = widths * cells.half_width(all.top, d, root);
            tilt(rank, d) = Kokkos::max(-most, Kokkos::min(z[d], most));
          }
        });
  }
}

void fill_maxima(const BoxLevels& boxes, const BoxValues& values) {
  for (int level = 1; level <= boxes.top; ++level) {
    Kokkos::parallel_for(
        "hpot::PlanSearch::fill_maxima", boxes_of(boxes, level), KOKKOS_LAMBDA(Index b) {
          Real largest = 2.0 * log_zero;
          Parent(boxes, level, b).for_children([&](const Index(&)[3], Index child) {
            largest = Kokkos::max(largest, values(child));
          });
          values(boxes.first[level] + b) = largest;
        });
  }
}

void fill_tilted(const GridCells& cells, const BoxAxes& tilt, Real epsilon, const BoxValues& values) {
  fill_tilted_of(cells, tilt, epsilon, values);
}

void fill_tilted(const CloudCells& cells, const BoxAxes& tilt, Real epsilon, const BoxValues& values) {
  fill_tilted_of(cells, tilt, epsilon, values);
}

}  // namespace hpot
