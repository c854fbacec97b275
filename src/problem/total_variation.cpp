#include "hpot/problem/total_variation.hpp"

#include "hpot/core/field.hpp"

namespace hpot {
namespace {

using Points = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

/// Differences of exp(l) at one point, in units of exp(top).
struct Slope {
  Real top = 0.0;
  Real forward[3] = {0.0, 0.0, 0.0};  // grad
  Real curvature = 0.0;               // eps L/(2 dim)
  Real size = 0.0;                    // |grad|_2
};

KOKKOS_INLINE_FUNCTION Slope slope_at(const GridSteps& steps, const SlabValues& l, Index i) {
  const GridSteps::Neighbours has = steps.neighbours(i);
  Slope slope;
  slope.top = l(i);
  for (int d = 0; d < steps.dimension; ++d) {
    if (has.next[d]) slope.top = Kokkos::max(slope.top, l(i + steps.stride[d]));
  }
  const Real here = Kokkos::exp(l(i) - slope.top);
  Real square = 0.0;
  for (int d = 0; d < steps.dimension; ++d) {
    if (!has.next[d]) continue;
    const Real next = Kokkos::exp(l(i + steps.stride[d]) - slope.top);
    slope.forward[d] = steps.scale[d] * (next - here);
    slope.curvature = Kokkos::max(slope.curvature, steps.scale[d] * steps.scale[d] * (next + here));
    square += slope.forward[d] * slope.forward[d];
  }
  slope.size = Kokkos::sqrt(square);
  return slope;
}

/// The factor that brings a vector of this size into the ball.
KOKKOS_INLINE_FUNCTION Real into_ball(Real square, Real tau) {
  return square > tau * tau ? tau / Kokkos::sqrt(square) : 1.0;
}

}  // namespace

GridSteps steps_of(const Grid& grid, Real unit) {
  GridSteps steps;
  steps.dimension = grid.dimension();
  Index stride = 1;
  for (int d = steps.dimension - 1; d >= 0; --d) {
    steps.extent[d] = grid.axes[d].n;
    steps.stride[d] = stride;
    steps.scale[d] = unit / grid.axes[d].spacing;
    stride *= grid.axes[d].n;
  }
  return steps;
}

GridSlab::GridSlab(const OwnedRows& owned, const GridSteps& whole)
    : rows(owned), steps(whole), halo(owned, whole.stride[0]) {
  steps.first = rows.range().begin;
}

void add_divergence(const GridSlab& slab, const ConstField& base, const Field& w, Real epsilon,
                    const Field& log_ratio) {
  const GridSteps steps = slab.steps;
  const SlabValues along_slabs = slab.halo.with_last(entries(w, 0, 1));
  Kokkos::parallel_for(
      "hpot::add_divergence", Points(0, log_ratio.extent(1)), KOKKOS_LAMBDA(Index i) {
        const GridSteps::Neighbours has = steps.neighbours(i);
        Real sum = 0.0;  // grad'w
        for (int d = 0; d < steps.dimension; ++d) {
          if (has.last[d]) {
            const Index last = i - steps.stride[d];
            sum += steps.scale[d] * (d == 0 ? along_slabs(last) : w(d, last));
          }
          if (has.next[d]) sum -= steps.scale[d] * w(d, i);
        }
        log_ratio(0, i) = base(0, i) - sum / epsilon;
      });
}

Variation variation_of(const GridSlab& slab, Real q, const ConstField& log_ratio, Real tau, const ConstField& w) {
  const GridSteps steps = slab.steps;
  const SlabValues values = slab.halo.with_next(log_ratio);
  const std::vector<Real> sums = sum_over_points(
      "hpot::variation_of", slab.rows, 2, KOKKOS_LAMBDA(Index which, Index i) {
        const Slope slope = slope_at(steps, values, i);
        const Real unit = q * Kokkos::exp(slope.top);
        if (which == 0) return unit * slope.size;
        Real along = 0.0;
        for (int d = 0; d < steps.dimension; ++d) along += w(d, i) * slope.forward[d];
        return unit * Kokkos::max(0.0, tau * slope.size - along);
      });
  return {sums[0], sums[1]};
}

Real ascend(const GridSlab& slab, Real q, const ConstField& log_ratio, Real epsilon, Real tau, const Field& y,
            const ConstField& w) {
  const GridSteps steps = slab.steps;
  const SlabValues values = slab.halo.with_next(log_ratio);
  return sum_over_points(
      "hpot::ascend", slab.rows, 1, KOKKOS_LAMBDA(Index, Index i) {
        const Slope slope = slope_at(steps, values, i);
        if (!(slope.curvature > 0.0)) return 0.0;                                 // the last point of every axis
        const Real per_unit = 2.0 * steps.dimension * slope.curvature / epsilon;  // L
        Real square = 0.0;
        for (int d = 0; d < steps.dimension; ++d) {
          const Real moved = y(d, i) + slope.forward[d] / per_unit;
          square += moved * moved;
        }
        const Real factor = into_ball(square, tau);
        Real product = 0.0;
        for (int d = 0; d < steps.dimension; ++d) {
          const Real moved = factor * (y(d, i) + slope.forward[d] / per_unit);
          product += (y(d, i) - moved) * (moved - w(d, i));
          y(d, i) = moved;
        }
        return q * Kokkos::exp(slope.top) * per_unit * product;
      })[0];
}

void go_on(Real beta, const Field& y, const Field& w) {
  Real* next = y.data();
  Real* last = w.data();
  Kokkos::parallel_for(
      "hpot::go_on", Points(0, y.size()), KOKKOS_LAMBDA(Index i) {
        const Real now = next[i];
        next[i] = now + beta * (now - last[i]);
        last[i] = now;
      });
}

void project(Real tau, const Field& w) {
  const int dimension = static_cast<int>(w.extent(0));
  Kokkos::parallel_for(
      "hpot::project", Points(0, w.extent(1)), KOKKOS_LAMBDA(Index i) {
        Real square = 0.0;
        for (int d = 0; d < dimension; ++d) square += w(d, i) * w(d, i);
        const Real factor = into_ball(square, tau);
        for (int d = 0; d < dimension; ++d) w(d, i) *= factor;
      });
}

}  // namespace hpot
