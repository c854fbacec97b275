// The walk over the columns that matter to the rows of an item. Part of truncated.hpp.
//
// An item is a block of rows in `lanes::width` groups of 8 neighbours, one group a lane. First the tile that reaches highest at
// the middle of each group is found, best node first, and added: what the rows have from it bounds their log-sums from below.
// Then one walk down the tree keeps the tiles whose bound, over these, is large enough, and sums the bounds of all others.
#pragma once

#include "tile_bounds.hpp"

namespace hpot {
namespace {

constexpr int group_blocks = group_rows / block_rows;
constexpr int pending_tiles = 1024;  // that wait to be visited group by group

/// What is left out of a row, in units of log 2: nodes of n_J 2^(E_IJ) <= 2^(log_cut - margin), at first. -infinity: nothing.
struct Cut {
  static constexpr Real margin = 6.0;
  Real log_cut = 0.0;
  bool counts = true;   // false: nodes are left out where they cannot change a maximum
  Real rounding = 0.0;  // of bounds, log-sums and exponents
};

/// The tile whose bound at x is the largest, -1 where no column has weight.
template <class Bound>
KOKKOS_FUNCTION Index highest_tile(const Bound& bound, const TileTree& tree, const Real* x) {
  struct Candidate {
    Real value;
    int level;
    Index node;
  };
  Candidate waiting[most_levels * children];
  int count = 0;
  Index found = -1;
  Real best = 0.5 * log_zero;
  const auto offer = [&](int level, Index begin) {  // a family, the best of it last
    const Index end = Kokkos::min(begin + children, tree.count[level]);
    const int bottom = count;
    for (Index node = begin; node < end; node += lanes::width) {
      const Wide values = bound.at(x, tree, tree.rank(level, node));
      for (int l = 0; l < lanes::width && node + l < end; ++l) {
        const Real value = lanes::lane(values, l);
        if (!(value > best)) continue;
        int to = count++;
        for (; to > bottom && waiting[to - 1].value > value; --to) waiting[to] = waiting[to - 1];
        waiting[to] = {value, level, node + l};
      }
    }
  };
  offer(tree.levels - 1, 0);
  while (count > 0) {
    const Candidate top = waiting[--count];
    if (!(top.value > best)) continue;
    if (top.level > 0) {
      offer(top.level - 1, top.node * children);
    } else {
      best = top.value;
      found = top.node;
    }
  }
  return found;
}

/// Groups of tiles, as bits of lanes, in the order of the tiles.
struct PendingTiles {
  int tile[pending_tiles];
  unsigned char groups[pending_tiles];
  int count = 0;
};

/// Body: add(group, first column, vectors of columns), a tile or several; level(row of the item), log2 of what the row has so
/// far; restart() forgets all sums. An item ends with all that it keeps added once.
template <class Bound, class Body>
struct TileWalk {
  static constexpr int dimension = Bound::dimension;
  const Bound& bound;
  const TileTree& tree;
  const TiledRows& rows;
  const Cut& cut;

  /// False where no column has weight.
  KOKKOS_FUNCTION bool run(Index item, Body& body) const {
    RowBoxes<dimension> boxes;
    if (!begin(item, body, boxes)) return false;
    if (!cut.counts) {
      visit(boxes, body);
      return true;
    }
    const Real limit = Kokkos::exp2(Cut::margin);
    while (true) {
      body.restart();
      const Wide dropped = visit(boxes, body);
      Wide more = lanes::broadcast(0.0);
      if (cut.log_cut == -infinity || !lanes::any_at_least(dropped, lanes::broadcast(limit))) return true;
      for (int l = 0; l < item_groups; ++l) {
        const Real excess = lanes::lane(dropped, l) / limit;
        if (excess >= 1.0) more = lanes::max(more, lanes::broadcast(Kokkos::log2(excess) + 1.0));
      }
      boxes.base = boxes.base + more;
    }
  }

 private:
  KOKKOS_FUNCTION bool begin(Index item, Body& body, RowBoxes<dimension>& boxes) const {
    Real center[dimension][item_groups], half[dimension][item_groups], slope[dimension][item_groups];
    Real base[item_groups];
    for (int g = 0; g < item_groups; ++g) {
      const Index first = item * item_rows + g * group_rows;
      Real x[dimension];
      for (int d = 0; d < dimension; ++d) {
        Real least = rows.x(d, first), most = least;
        for (int r = 1; r < group_rows; ++r) {
          least = Kokkos::min(least, rows.x(d, first + r));
          most = Kokkos::max(most, rows.x(d, first + r));
        }
        x[d] = center[d][g] = 0.5 * (least + most);
        half[d][g] = Kokkos::max(most - x[d], x[d] - least);
      }
      const Index tile = highest_tile(bound, tree, x);
      if (tile < 0) return false;
      body.add(g, tile * tile_columns, tile_columns / lanes::width);
      for (int d = 0; d < dimension; ++d) slope[d][g] = bound.row_slope(x, tree, tree.rank(0, tile), d);
      base[g] = -infinity;
      for (int r = 0; r < group_rows; ++r) {
        Real rest = -body.level(g * group_rows + r);
        for (int d = 0; d < dimension; ++d) rest -= slope[d][g] * (rows.x(d, first + r) - x[d]);
        base[g] = Kokkos::max(base[g], rest);
      }
      base[g] += cut.rounding;
      if (cut.counts) base[g] = cut.log_cut == -infinity ? -log_zero : base[g] - cut.log_cut + Cut::margin;
    }
    for (int d = 0; d < dimension; ++d) {
      boxes.center[d] = lanes::load(center[d]);
      boxes.half[d] = lanes::load(half[d]);
      boxes.slope[d] = lanes::load(slope[d]);
    }
    boxes.base = lanes::load(base);
    return true;
  }

  /// Sum of 2^bound over what is left out.
  KOKKOS_FUNCTION Wide visit(const RowBoxes<dimension>& boxes, Body& body) const {
    const Wide zero = lanes::broadcast(0.0);
    Wide dropped = zero;
    PendingTiles pending;
    int level = tree.levels - 1;
    Index node = 0;
    while (true) {
      const Index rank = tree.rank(level, node);
      Wide reach = bound.over(boxes, tree, rank);
      if (cut.counts) reach = reach + tree.log_count(rank);
      const bool kept = lanes::any_at_least(reach, zero);
      if (kept && level > 0) {
        --level;
        node *= children;
        continue;
      }
      const Wide mass = lanes::exp2(lanes::min(reach, zero));
      if (kept) {
        unsigned groups = 0;
        for (int l = 0; l < item_groups; ++l) groups |= lanes::lane(reach, l) >= 0.0 ? 1U << l : 0U;
        if (pending.count == pending_tiles) flush(pending, body);
        pending.tile[pending.count] = static_cast<int>(node);
        pending.groups[pending.count++] = static_cast<unsigned char>(groups);
        dropped = dropped + lanes::where_negative(reach, mass);
      } else {
        dropped = dropped + mass;
      }
      // the next node: of this one's brothers, else its parent's next
      while (level < tree.levels - 1 && ((node + 1) % children == 0 || node + 1 == tree.count[level])) {
        node /= children;
        ++level;
      }
      if (++node == tree.count[level]) break;
    }
    flush(pending, body);
    return dropped;
  }

  KOKKOS_FUNCTION void flush(PendingTiles& pending, Body& body) const {
    constexpr int tile_length = tile_columns / lanes::width;
    constexpr int most_tiles = tile_vectors >= tile_length ? tile_vectors / tile_length : 1;  // of a run
    for (int g = 0; g < item_groups; ++g) {
      for (int at = 0; at < pending.count;) {
        if ((pending.groups[at] >> g & 1U) == 0U) {
          ++at;
          continue;
        }
        const int begin = at++;
        while (at < pending.count && at - begin < most_tiles && pending.tile[at] == pending.tile[begin] + at - begin &&
               (pending.groups[at] >> g & 1U) != 0U)
          ++at;
        body.add(g, pending.tile[begin] * Index{tile_columns}, (at - begin) * tile_length);
      }
    }
    pending.count = 0;
  }
};

}  // namespace
}  // namespace hpot
