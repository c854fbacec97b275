// Upper bounds E_IJ of exponents over boxes of rows and of columns, in units of log 2. Part of truncated.hpp.
//
//   TiltedBound   squared Euclidean: majorants less s |x - y|^2, maximised over both boxes, axis by axis
//   NearBound     any cost: top of h less s times the least cost between the boxes
//   FarBound      any cost that is added: top of h and s times the largest cost
//
// `over` takes one box of rows a lane and one node; `at` takes a point and `lanes::width` consecutive nodes, and omits the
// rows' part.
#pragma once

#include "tile_tree.hpp"

namespace hpot {
namespace {

/// Boxes of rows, one a lane; -L_i <= base + slope . (x_i - center).
template <int dimension>
struct RowBoxes {
  Wide center[dimension], half[dimension], slope[dimension];
  Wide base;
};

KOKKOS_FORCEINLINE_FUNCTION Wide clamp(Wide x, Wide reach) {
  return lanes::max(lanes::min(x, reach), lanes::broadcast(0.0) - reach);
}
KOKKOS_FORCEINLINE_FUNCTION Wide magnitude(Wide x) { return lanes::max(x, lanes::broadcast(0.0) - x); }

/// max over |u| <= r, |v| <= t of q u + p v - s (w + u - v)^2 along each axis, w = center of rows - center of columns. The
/// maximum of a concave function that is affine along (1, 1) lies on the boundary: four edges, the best point of each.
template <int dim>
struct TiltedBound {
  static constexpr int dimension = dim;
  static constexpr bool sloped = true;
  Real scale;

  KOKKOS_FORCEINLINE_FUNCTION Wide over(const RowBoxes<dim>& rows, const TileTree& tree, Index node) const {
    const Real turn = scale > 0.0 ? 0.5 / scale : 0.0;
    Wide sum = rows.base + tree.top(node);
#pragma GCC unroll 3
    for (int d = 0; d < dim; ++d) {
      const Wide w = rows.center[d] - tree.center(d, node);
      const Wide r = rows.half[d], t = lanes::broadcast(tree.half(d, node));
      const Wide q = rows.slope[d], p = lanes::broadcast(tree.slope(d, node));
      const auto value = [&](Wide u, Wide v) {
        const Wide apart = w + u - v;
        return q * u + p * v - apart * apart * scale;
      };
      const Wide minus_r = lanes::broadcast(0.0) - r, minus_t = lanes::broadcast(0.0) - t;
      const Wide v_free = w + p * turn, u_free = q * turn - w;
      const Wide a = value(r, clamp(v_free + r, t)), b = value(minus_r, clamp(v_free - r, t));
      const Wide c = value(clamp(u_free + t, r), t), e = value(clamp(u_free - t, r), minus_t);
      sum = sum + lanes::max(lanes::max(a, b), lanes::max(c, e));
    }
    return sum;
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide at(const Real* x, const TileTree& tree, Index first) const {
    const Real turn = scale > 0.0 ? 0.5 / scale : 0.0;
    Wide sum = lanes::load(&tree.top(first));
#pragma GCC unroll 3
    for (int d = 0; d < dim; ++d) {
      const Wide w = lanes::broadcast(x[d]) - lanes::load(&tree.center(d, first));
      const Wide p = lanes::load(&tree.slope(d, first));
      const Wide v = clamp(w + p * turn, lanes::load(&tree.half(d, first)));
      sum = sum + (p * v - (w - v) * (w - v) * scale);
    }
    return sum;
  }
  /// Slope of -L at x, where the node holds most of the row's sum.
  KOKKOS_FORCEINLINE_FUNCTION Real row_slope(const Real* x, const TileTree& tree, Index node, int d) const {
    const Real turn = scale > 0.0 ? 0.5 / scale : 0.0;
    const Real w = x[d] - tree.center(d, node);
    const Real v = Kokkos::max(-tree.half(d, node), Kokkos::min(tree.half(d, node), w + tree.slope(d, node) * turn));
    return 2.0 * scale * (w - v);
  }
};

/// `far` false: least costs, taken off; true: largest costs, added.
template <class C, int dim, bool far>
struct BoxBound {
  static constexpr int dimension = dim;
  static constexpr bool sloped = false;
  C cost;
  Real scale;

  KOKKOS_FORCEINLINE_FUNCTION Wide between(Wide apart, Wide reach) const {
    if constexpr (far) {
      return apart + reach;
    } else {
      return lanes::max(apart - reach, lanes::broadcast(0.0));
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide part(Wide sum) const { return of_sum(cost, sum) * (far ? scale : -scale); }
  KOKKOS_FORCEINLINE_FUNCTION Wide over(const RowBoxes<dim>& rows, const TileTree& tree, Index node) const {
    Wide sum = lanes::broadcast(0.0);
#pragma GCC unroll 3
    for (int d = 0; d < dim; ++d) {
      const Wide apart = magnitude(rows.center[d] - tree.center(d, node));
      sum = sum + along_axis(cost, between(apart, rows.half[d] + tree.half(d, node)));
    }
    return rows.base + tree.top(node) + part(sum);
  }
  KOKKOS_FORCEINLINE_FUNCTION Wide at(const Real* x, const TileTree& tree, Index first) const {
    Wide sum = lanes::broadcast(0.0);
#pragma GCC unroll 3
    for (int d = 0; d < dim; ++d) {
      const Wide apart = magnitude(lanes::broadcast(x[d]) - lanes::load(&tree.center(d, first)));
      sum = sum + along_axis(cost, between(apart, lanes::load(&tree.half(d, first))));
    }
    return lanes::load(&tree.top(first)) + part(sum);
  }
  KOKKOS_FORCEINLINE_FUNCTION Real row_slope(const Real*, const TileTree&, Index, int) const { return 0.0; }
};

}  // namespace
}  // namespace hpot
