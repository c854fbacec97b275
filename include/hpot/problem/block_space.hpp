// Blocks of neighbouring grid points, and the functions that are constant on each: the coarse space of a two-level method.
//
// An axis of n points has ceil(n / side) blocks, the last one shorter; a block of the grid is a product of theirs. Blocks
// are numbered as points are, slowest axis first.
//
// Fields hold the owned rows, a batch of one. Local unless marked.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/cost/cost.hpp"
#include "hpot/measure/grid.hpp"

#include <array>

namespace hpot {

/// 8 points along every axis for each point within a cost of eps, one at least; more where there would be over 2^12 blocks.
/// Smaller blocks gain nothing: what is slow then lies within them.
std::vector<Index> block_sides(const Cost& cost, const Grid& grid, Real epsilon);

class BlockSpace {
 public:
  /// One side, in points, for each axis of `grid`.
  BlockSpace(const Grid& grid, const OwnedRows& rows, const std::vector<Index>& sides);

  [[nodiscard]] Index blocks() const { return layout_.blocks[0] * layout_.blocks[1] * layout_.blocks[2]; }

  /// For every block the sum of v over its points; the same bits on any number of ranks. Collective along rows.
  [[nodiscard]] std::vector<Real> sums(const ConstField& v) const;

  /// v_j = 1 in blocks whose position along `axis` is `first` modulo `count`, else 0.
  void indicate_stripes(int axis, Index count, Index first, const Field& v) const;
  /// v_j = where j's middle lies along `axis`, in blocks: the block's position and how far inside.
  void set_positions(int axis, const Field& v) const;

  /// v_j += values[block of j].
  void add(const std::vector<Real>& values, const Field& v) const;

  /// Axes that the grid lacks come last, with one point.
  struct Layout {
    std::array<Index, 3> points{1, 1, 1};
    std::array<Index, 3> sides{1, 1, 1};
    std::array<Index, 3> blocks{1, 1, 1};
  };
  [[nodiscard]] const Layout& layout() const { return layout_; }

 private:
  Layout layout_;
  OwnedRows rows_;
};

/// How strongly two blocks are coupled (block_couplings.hpp).
struct BlockCoupling {
  Index first, second;  // blocks, first < second
  Real weight;          // sum_i q_i r_i p_i(first) p_i(second) > 0
};

constexpr Index most_runs = Index{1} << 10;
/// Of points on no grid, whose order keeps neighbours together, where a row of the plan holds about so many of them: runs of an
/// eighth as many, longer ones where there would be over most_runs.
BlockSpace runs_of(const OwnedRows& rows, Real entries);

}  // namespace hpot
