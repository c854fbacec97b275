// Tiles of columns below a tree of boxes, and majorants of h over them. Part of truncated.hpp.
//
// Level 0 holds the tiles, 32 points each; a node of level l holds 8 consecutive nodes of level l - 1. h, in units of log 2, has
// over a node of centre c the majorant
//
//   h_j <= top + slope . (y_j - c)
//
// A tile's slope is the least-squares one of its points with weight, or 0 where that gives the smaller top; a node's the mean
// of its children's, or 0 likewise.
#pragma once

#include "point_terms.hpp"
#include "truncated_clouds.hpp"

namespace hpot {
namespace {

/// p with (S + r trace(S)) p = b, S symmetric: least squares where S is regular.
template <int dimension>
KOKKOS_FORCEINLINE_FUNCTION void solve_slope(Real (&s)[dimension][dimension], Real (&b)[dimension]) {
  constexpr Real ridge = 1e-7;
  Real trace = 0.0;
  for (int d = 0; d < dimension; ++d) trace += s[d][d];
  for (int d = 0; d < dimension; ++d) s[d][d] += ridge * trace;
  for (int d = 0; d < dimension; ++d) {
    for (int e = d + 1; e < dimension; ++e) {
      const Real factor = s[d][d] > 0.0 ? s[e][d] / s[d][d] : 0.0;
      for (int f = d; f < dimension; ++f) s[e][f] -= factor * s[d][f];
      b[e] -= factor * b[d];
    }
  }
  for (int d = dimension - 1; d >= 0; --d) {
    for (int e = d + 1; e < dimension; ++e) b[d] -= s[d][e] * b[e];
    b[d] = s[d][d] > 0.0 ? b[d] / s[d][d] : 0.0;
  }
}

/// Of each tile: h in its order and unit, less what the terms take off, and its majorant.
template <int dimension, bool sloped>
struct FitTiles {
  TiledColumns columns;
  ConstField h;
  Index k;
  Real unit;
  Real square_scale;  // h - square_scale |y|^2 is kept
  NodeValues kept;

  KOKKOS_FUNCTION void operator()(Index tile) const {
    const TileTree& tree = columns.tree;
    const Index node = tree.rank(0, tile);
    Real value[tile_columns];
    Real mean_y[dimension] = {};
    Real mean_h = 0.0, most = 2.0 * log_zero, count = 0.0;
    for (int c = 0; c < tile_columns; ++c) {
      const Index j = tile * tile_columns + c;
      const Real given = j < columns.columns ? h(k, columns.order(j)) : log_zero;
      value[c] = given > 0.5 * log_zero ? given * unit : 2.0 * log_zero;
      Real square = 0.0;
      for (int d = 0; d < dimension; ++d) square += columns.y(d, j) * columns.y(d, j);
      kept(j) = given > 0.5 * log_zero ? value[c] - square_scale * square : 2.0 * log_zero;
      if (given <= 0.5 * log_zero) continue;
      most = Kokkos::max(most, value[c]);
      count += 1.0;
      mean_h += value[c];
      for (int d = 0; d < dimension; ++d) mean_y[d] += columns.y(d, j);
    }
    tree.log_count(node) = Kokkos::log2(Kokkos::max(count, 1.0));
    tree.top(node) = most;
    for (int d = 0; d < dimension; ++d) tree.slope(d, node) = 0.0;
    if (!sloped || count == 0.0) return;
    mean_h /= count;
    for (int d = 0; d < dimension; ++d) mean_y[d] /= count;
    Real squares[dimension][dimension] = {};
    Real slope[dimension] = {};
    for (int c = 0; c < tile_columns; ++c) {
      if (value[c] <= 0.5 * log_zero) continue;
      const Index j = tile * tile_columns + c;
      for (int d = 0; d < dimension; ++d) {
        const Real offset = columns.y(d, j) - mean_y[d];
        slope[d] += offset * (value[c] - mean_h);
        for (int e = 0; e < dimension; ++e) squares[d][e] += offset * (columns.y(e, j) - mean_y[e]);
      }
    }
    solve_slope(squares, slope);
    Real top = 2.0 * log_zero;
    for (int c = 0; c < tile_columns; ++c) {
      if (value[c] <= 0.5 * log_zero) continue;
      Real rest = value[c];
      for (int d = 0; d < dimension; ++d)
        rest -= slope[d] * (columns.y(d, tile * tile_columns + c) - tree.center(d, node));
      top = Kokkos::max(top, rest);
    }
    if (!(top < most)) return;
    tree.top(node) = top;
    for (int d = 0; d < dimension; ++d) tree.slope(d, node) = slope[d];
  }
};

/// Of each node of a level above the tiles, from its children.
template <int dimension>
struct FitNodes {
  TileTree tree;
  int level;

  KOKKOS_FUNCTION void operator()(Index at) const {
    const Index node = tree.rank(level, at);
    const Index begin = at * children, end = Kokkos::min(begin + children, tree.count[level - 1]);
    Real count = 0.0, most = 2.0 * log_zero;
    Real slope[dimension] = {};
    for (Index c = begin; c < end; ++c) {
      const Index child = tree.rank(level - 1, c);
      if (tree.top(child) <= 0.5 * log_zero) continue;
      const Real points = Kokkos::exp2(tree.log_count(child));
      Real highest = tree.top(child);
      for (int d = 0; d < dimension; ++d) {
        slope[d] += points * tree.slope(d, child);
        highest += Kokkos::fabs(tree.slope(d, child)) * tree.half(d, child);
      }
      count += points;
      most = Kokkos::max(most, highest);
    }
    Real top = 2.0 * log_zero;
    for (int d = 0; d < dimension; ++d) slope[d] /= Kokkos::max(count, 1.0);
    for (Index c = begin; c < end; ++c) {
      const Index child = tree.rank(level - 1, c);
      if (tree.top(child) <= 0.5 * log_zero) continue;
      Real here = tree.top(child);
      for (int d = 0; d < dimension; ++d)
        here += Kokkos::fabs(tree.slope(d, child) - slope[d]) * tree.half(d, child) -
                slope[d] * (tree.center(d, child) - tree.center(d, node));
      top = Kokkos::max(top, here);
    }
    const bool flat = !(top < most);
    tree.top(node) = flat ? most : top;
    tree.log_count(node) = Kokkos::log2(Kokkos::max(count, 1.0));
    for (int d = 0; d < dimension; ++d) tree.slope(d, node) = flat ? 0.0 : slope[d];
  }
};

}  // namespace
}  // namespace hpot
