// Tiles of lines for the CPU form of the axis kernels: a work item is a tile of lanes::width lines and some or all of their
// outputs; the tile is copied to scratch, entry by entry a vector. Part of axis_kernels.cpp (hence the unnamed namespace).
#pragma once

#include "hpot/kernel/axis_kernels.hpp"
#include "hpot/kernel/lanes.hpp"

namespace hpot {
namespace {

using lanes::Narrow;
using lanes::Wide;
using Team = Kokkos::TeamPolicy<ExecutionSpace>::member_type;

constexpr int block = 8;           // entries of a line that share one bound
constexpr Real negligible = 45;    // exp(-45) = 3e-20
constexpr Index chunk = 64;        // outputs per work item where there are few lines
constexpr Index many_tiles = 256;  // so many work items are enough; then each takes all outputs of its tile
constexpr int rows_at_once = 6;    // outputs that are formed together
constexpr int level = 1;           // of scratch: lines of any length; a CPU's level 0 ends at 32 KiB

/// Raw tables of one axis, as kernels capture them.
struct Tables {
  const Real* scaled;
  const Real* kernel;
  const Real* cost;
  const Index* nearest;
  Index step_out, step_in, shift, n_in;

  explicit Tables(const AxisCost& axis)
      : scaled(axis.scaled.data()),
        kernel(axis.kernel.data()),
        cost(axis.cost.data()),
        nearest(axis.nearest.data()),
        step_out(axis.step_out),
        step_in(axis.step_in),
        shift(axis.shift),
        n_in(axis.n_in()) {}

  /// Pointer p with p[-step_in * j] the entry of (i, j).
  KOKKOS_FORCEINLINE_FUNCTION const Real* row(const Real* table, Index i) const { return table + step_out * i + shift; }
};

/// Work items and what they share.
struct TileWork {
  AxisPass pass;
  Tables tables;
  Index tiles, per_item, chunks;

  TileWork(const AxisCost& axis, const AxisPass& p)
      : pass(p),
        tables(axis),
        tiles((p.lines + lanes::width - 1) / lanes::width),
        per_item(p.batch * tiles < many_tiles ? chunk : Kokkos::max<Index>(1, p.count)),
        chunks((p.count + per_item - 1) / per_item) {}

  [[nodiscard]] Index items() const { return pass.batch * tiles * chunks; }

  struct Item {
    Index k, line, lines_here, begin, end;  // batch entry, first line, valid lanes, outputs
  };
  KOKKOS_FORCEINLINE_FUNCTION Item item(Index rank) const {
    const Index c = rank % chunks;
    const Index t = rank / chunks % tiles;
    const Index line = t * lanes::width;
    return {rank / chunks / tiles, line, Kokkos::min<Index>(lanes::width, pass.lines - line), c * per_item,
            Kokkos::min<Index>((c + 1) * per_item, pass.count)};
  }

  KOKKOS_FORCEINLINE_FUNCTION void load_tile(const Item& item, const Real* array, Wide* tile) const {
    const Real* from = array + (item.k * tables.n_in) * pass.lines + item.line;
    if (item.lines_here == lanes::width) {
      for (Index j = 0; j < tables.n_in; ++j) tile[j] = lanes::load(from + j * pass.lines);
      return;
    }
    Real padded[lanes::width];
    for (int l = 0; l < lanes::width; ++l) padded[l] = log_zero;
    for (Index j = 0; j < tables.n_in; ++j) {
      for (Index l = 0; l < item.lines_here; ++l) padded[l] = from[j * pass.lines + l];
      tile[j] = lanes::load(padded);
    }
  }

  /// Outputs [i, i + rows) of the tile's lines, rows <= rows_at_once.
  KOKKOS_FORCEINLINE_FUNCTION void store_outputs(const Item& item, Index i, int rows, const Wide* values,
                                                 Real* array) const {
    Real* to = array + (item.k * pass.lines + item.line) * pass.count + i;
    if (rows == rows_at_once && item.lines_here == lanes::width) {
#pragma GCC unroll 8
      for (int l = 0; l < lanes::width; ++l) {
#pragma GCC unroll 8
        for (int r = 0; r < rows_at_once; ++r) to[l * pass.count + r] = lanes::lane(values[r], l);
      }
      return;
    }
    for (Index l = 0; l < item.lines_here; ++l) {
      for (int r = 0; r < rows; ++r) to[l * pass.count + r] = lanes::lane(values[r], static_cast<int>(l));
    }
  }

  template <class Functor>
  void run(const char* label, const Functor& functor, Index scratch_values) const {
    Kokkos::TeamPolicy<ExecutionSpace> policy(static_cast<int>(items()), 1);
    policy.set_scratch_size(level, Kokkos::PerTeam(static_cast<int>((scratch_values + 8) * sizeof(Wide))));
    Kokkos::parallel_for(label, policy, functor);
  }
};

KOKKOS_FORCEINLINE_FUNCTION Wide* scratch_of(const Team& team, Index values) {
  constexpr std::size_t alignment = 64;
  return static_cast<Wide*>(team.team_scratch(level).get_shmem_aligned(values * sizeof(Wide), alignment));
}

/// f(j) for the entries of a block; whole blocks have a loop of known length.
template <class F>
KOKKOS_FORCEINLINE_FUNCTION void for_entries(Index begin, Index end, const F& f) {
  if (end - begin == block) {
#pragma GCC unroll 8
    for (int e = 0; e < block; ++e) f(begin + e);
  } else {
    for (Index j = begin; j < end; ++j) f(j);
  }
}

/// A tile of lines with a bound per block, so that blocks of negligible terms can be left out.
class BlockedTile {
 public:
  KOKKOS_FORCEINLINE_FUNCTION static Index scratch_values(Index n) {
    const Index blocks = (n + block - 1) / block;
    return n + 2 * blocks + (blocks + 7) / 8;
  }

  KOKKOS_FORCEINLINE_FUNCTION BlockedTile(const TileWork& work, const TileWork::Item& item, Wide* scratch)
      : tables_(work.tables),
        n_(work.tables.n_in),
        blocks_((n_ + block - 1) / block),
        start_(tables_.nearest[work.pass.first + item.begin] / block),
        tile_(scratch),
        block_max_(tile_ + n_),
        limits_(block_max_ + blocks_),
        candidates_(reinterpret_cast<std::int32_t*>(limits_ + blocks_)) {
    work.load_tile(item, work.pass.in, tile_);
    for (Index b = 0; b < blocks_; ++b) {
      Wide top = tile_[b * block];
      for_entries(b * block, end_of(b), [&](Index j) { top = lanes::max(top, tile_[j]); });
      block_max_[b] = top;
    }
  }

  /// max_j (A_j - c_ij/eps) of output i; afterwards for_blocks visits what is not negligible beside it.
  KOKKOS_FORCEINLINE_FUNCTION Wide find_top(Index i) {
    const Real* row = tables_.row(tables_.scaled, i);
    const Index near = tables_.nearest[i];
    const Index middle = near / block;
    top_ = raised(lanes::broadcast(2.0 * log_zero), row, start_);
    count_ = 0;
    for (Index b = 0; b < middle; ++b) consider(row, b, b * block + block - 1);
    consider(row, middle, near);
    for (Index b = middle + 1; b < blocks_; ++b) consider(row, b, b * block);
    return top_;
  }

  /// f(begin, end) for every block of candidates. Which ones count depends on the final maximum alone.
  template <class F>
  KOKKOS_FORCEINLINE_FUNCTION void for_blocks(const F& f) const {
    const Wide least = top_ - negligible;
    for (Index c = 0; c < count_; ++c) {
      if (lanes::any_greater(limits_[c], least)) f(candidates_[c] * block, end_of(candidates_[c]));
    }
  }

  KOKKOS_FORCEINLINE_FUNCTION const Wide& operator[](Index j) const { return tile_[j]; }

 private:
  KOKKOS_FORCEINLINE_FUNCTION Index end_of(Index b) const { return Kokkos::min<Index>((b + 1) * block, n_); }

  KOKKOS_FORCEINLINE_FUNCTION Wide raised(Wide top, const Real* row, Index b) const {
    for_entries(b * block, end_of(b), [&](Index j) { top = lanes::max(top, tile_[j] - row[-tables_.step_in * j]); });
    return top;
  }

  /// No entry of block b lies above its largest value less the cost of `nearest`, its entry that is nearest to i.
  KOKKOS_FORCEINLINE_FUNCTION void consider(const Real* row, Index b, Index nearest) {
    const Wide limit = block_max_[b] - row[-tables_.step_in * nearest];
    if (!lanes::any_greater(limit, top_ - negligible)) return;
    limits_[count_] = limit;
    candidates_[count_++] = static_cast<std::int32_t>(b);
    if (b == start_ || !lanes::any_greater(limit, top_)) return;
    const Wide higher = raised(top_, row, b);
    if (lanes::any_greater(higher, top_)) start_ = b;
    top_ = higher;
  }

  const Tables& tables_;
  Index n_, blocks_, start_;  // start: the block that held the last maximum
  Wide* tile_;
  Wide* block_max_;
  Wide* limits_;  // of candidates
  std::int32_t* candidates_;
  Index count_ = 0;
  Wide top_{};
};

}  // namespace
}  // namespace hpot
