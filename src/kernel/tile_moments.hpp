// Mean squared Euclidean costs where eps is infinite, so that nothing can be left out and nothing needs to be: of the columns
// only their moments count. Part of truncated.hpp.
//
//   w_j = exp(h_j),  y = sum_j w_j y_j / sum_j w_j,  mean_i = |x_i - y|^2 + sum_j w_j |y_j - y|^2 / sum_j w_j
// Sums are of tiles, added in their order. Ledger: 2 exponentials a column; no pair is visited.
#pragma once

#include "truncated_clouds.hpp"

namespace hpot {
namespace {

/// Of one tile: sum of w, w (y - center)_d and w |y - center|^2.
template <int dimension>
struct MomentsOfTile {
  TiledColumns columns;
  ConstField h;
  Index k;
  Real highest;  // max h
  Real center[dimension];
  NodeVectors sums;  // (2 + dimension, tiles)

  KOKKOS_FUNCTION void operator()(Index tile) const {
    Real weights = 0.0, squares = 0.0, moments[dimension] = {};
    for (Index j = tile * tile_columns; j < Kokkos::min((tile + 1) * tile_columns, columns.columns); ++j) {
      const Real given = h(k, columns.order(j));
      if (given <= 0.5 * log_zero) continue;
      const Real w = Kokkos::exp(given - highest);
      weights += w;
      for (int d = 0; d < dimension; ++d) {
        const Real y = columns.y(d, j) - center[d];
        moments[d] += w * y;
        squares += w * y * y;
      }
    }
    sums(0, tile) = weights;
    sums(1, tile) = squares;
    for (int d = 0; d < dimension; ++d) sums(2 + d, tile) = moments[d];
  }
};

template <int dimension>
struct ColumnMoments {
  Real weight = 0.0, square = 0.0;
  Real mean[dimension] = {};  // of y - center
};

template <int dimension>
ColumnMoments<dimension> moments_about(const Real (&center)[dimension], const TiledColumns& columns,
                                       const ConstField& h, Index k, Real highest) {
  const Index tiles = columns.tree.count[0];
  MomentsOfTile<dimension> of_tile{columns, h, k, highest, {}, NodeVectors("hpot::moments", 2 + dimension, tiles)};
  for (int d = 0; d < dimension; ++d) of_tile.center[d] = center[d];
  Kokkos::parallel_for("hpot::TruncatedOperator::moments",
                       Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>(0, tiles), of_tile);
  const auto sums = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, of_tile.sums);
  ColumnMoments<dimension> all;
  for (Index t = 0; t < tiles; ++t) {
    all.weight += sums(0, t);
    all.square += sums(1, t);
    for (int d = 0; d < dimension; ++d) all.mean[d] += sums(2 + d, t);
  }
  if (all.weight > 0.0) {
    all.square /= all.weight;
    for (Real& mean : all.mean) mean /= all.weight;
  }
  return all;
}

template <int dimension>
struct MeanOfMoments {
  TiledRows rows;
  Real center[dimension];
  Real spread;
  Field mean;
  Index k;
  KOKKOS_FUNCTION void operator()(Index row) const {
    const int to = rows.order(row);
    if (to < 0) return;
    Real sum = spread;
    for (int d = 0; d < dimension; ++d) sum += (rows.x(d, row) - center[d]) * (rows.x(d, row) - center[d]);
    mean(k, to) = sum;
  }
};

/// mean(k, i) for all rows; 0 where no column has weight.
template <int dimension>
void mean_squares(const TiledRows& rows, const TiledColumns& columns, const ConstField& h, Index k, const Field& mean) {
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;
  Real highest = log_zero;
  Kokkos::parallel_reduce(
      "hpot::TruncatedOperator::highest", Policy(0, h.extent(1)),
      KOKKOS_LAMBDA(Index j, Real & most) { most = Kokkos::max(most, h(k, j)); }, Kokkos::Max<Real>(highest));
  const Real origin[dimension] = {};
  const auto about_origin = moments_about<dimension>(origin, columns, h, k, highest);
  const auto about_mean = moments_about<dimension>(about_origin.mean, columns, h, k, highest);
  MeanOfMoments<dimension> of_row{rows, {}, about_mean.square, mean, k};
  for (int d = 0; d < dimension; ++d) of_row.center[d] = about_origin.mean[d];
  if (about_origin.weight > 0.0) {
    Kokkos::parallel_for("hpot::TruncatedOperator::mean_squares", Policy(0, rows.items * item_rows), of_row);
  } else {
    Kokkos::deep_copy(Kokkos::subview(mean, k, Kokkos::ALL), 0.0);
  }
}

}  // namespace
}  // namespace hpot
