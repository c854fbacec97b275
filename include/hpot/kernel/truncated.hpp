// The truncated operator: sums over clouds of points in one to three dimensions, of which only tiles of columns that matter
// to a few rows are visited.
//
// Columns are kept in tiles of 32 neighbouring points, below a tree of boxes; rows go in groups of 8 neighbours. For a group
// I and a tile or node J with n_J points of weight, E_IJ >= h_j - C_ij/eps - L_i for all of their pairs, where L_i is the
// log-sum of row i over one tile that holds much of it, hence a lower bound of the whole. Squared Euclidean costs: h and -L
// have affine majorants over the boxes of J and I, and the majorants less the cost are maximised over both boxes exactly;
// other costs: largest h and -L, least cost between the boxes.
// J is left out where n_J exp(E_IJ) <= cut/64, and again with less left out where these bounds sum to more than cut. So
//
//   softmin <= computed softmin <= softmin + eps log(1 + cut)
//
// holds for any h: rough, over-relaxed, of any penalty or weights. Nothing is kept between calls: what a row becomes
// depends on h, eps and the precision alone. At eps = infinity (mean costs under a measure) every column matters: for squared
// Euclidean costs their moments serve, others visit all pairs. hard_min and hard_max leave out what cannot change them: they are exact.
//
// Ledger of a softmin: one exponential for each pair of a row and a column of a kept tile; for each group and tile near the
// edge of the kept ones 40 flops an axis. Memory: (1.1 dimension + 3) values a point.
#pragma once

#include "hpot/kernel/dense.hpp"

#include <algorithm>

namespace hpot {

/// The cuts are no smaller than these, but 0 where `cut` is 0: then every term counts.
inline constexpr Real truncated_cut_mixed = 1e-7;
inline constexpr Real truncated_cut_double = 1e-12;
[[nodiscard]] inline Real truncated_cut(Real wanted, Precision precision) {
  if (wanted == 0.0) return 0.0;
  return std::max(wanted, precision == Precision::mixed ? truncated_cut_mixed : truncated_cut_double);
}

inline constexpr int truncated_most_dimensions = 3;
inline constexpr Index truncated_block = 64;  // rows that are grouped among themselves

class TruncatedKernel : public KernelOperator {
 public:
  /// The rows of `side` that it reduces from now on.
  virtual void set_rows(Side side, Range rows) = 0;
  /// Pairs with columns of kept tiles that the last softmin of `side` visited, batch entries together, for every block of
  /// truncated_block rows; tiles and blocks count as if they were full. Local.
  [[nodiscard]] virtual std::vector<Real> visited_pairs(Side side) const = 0;
};

/// Local operator: h holds ALL points of the other side, s the given rows. Points near each other in index should be near
/// in space. A row's bits do not depend on which other rows are given.
std::unique_ptr<TruncatedKernel> make_truncated_operator(const Cost& cost, const Points& source, const Points& target,
                                                         Range source_rows, Range target_rows, Real cut);

}  // namespace hpot
