// Windows of a tile of lines, one stretch of outputs after the other. Part of axis_kernels.cpp.
//
// The stretch's samples are its first output, every group-th one after it, and the first output of the next stretch (the
// axis' last one at its end). At a sample the maximum of every lane is found over a range that the maxima of two samples
// around it bound, with bounds per block of entries; group k lies between samples k and k + 1. All of it follows from the
// tile and the stretch alone, whatever a work item begins with.
#pragma once

#include "axis_tiles.hpp"

namespace hpot {
namespace {

constexpr Index block = 8;              // entries of a line that share one bound
constexpr Index most_samples = 9;       // of a stretch in groups of 6
constexpr Real rounding_slack = 4e-15;  // 36 units in the last place of the exponents

class WindowedTile {
 public:
  KOKKOS_FORCEINLINE_FUNCTION static Index scratch_values(Index n) { return n + (n + block - 1) / block; }

  /// `table`: what is taken from A, c/eps or c. cut = 0 makes every window the whole line.
  KOKKOS_FORCEINLINE_FUNCTION WindowedTile(const TileWork& work, const TileWork::Item& item, const Real* table,
                                           Real cut, Index group, Wide* scratch)
      : tables_(work.tables),
        table_(table),
        n_(work.tables.n_in),
        group_(group),
        whole_(cut <= 0.0),
        tau_(whole_ ? infinity : Kokkos::log(static_cast<Real>(n_) / cut)),
        tile_(scratch),
        block_max_(tile_ + n_) {
    work.load_tile(item, work.pass.in, tile_, log_zero);
    find_block_maxima();
    copy_over_dead_lanes();
  }

  /// Largest entry of every line.
  KOKKOS_FORCEINLINE_FUNCTION Wide line_max() const { return line_max_; }
  KOKKOS_FORCEINLINE_FUNCTION bool all_dead() const { return all_dead_; }
  KOKKOS_FORCEINLINE_FUNCTION const Wide& operator[](Index j) const { return tile_[j]; }
  KOKKOS_FORCEINLINE_FUNCTION Wide phi(const Real* row, Index j) const { return tile_[j] - row[-tables_.step_in * j]; }

  /// Finds samples and maxima of the stretch that begins at output `begin`.
  KOKKOS_FORCEINLINE_FUNCTION void enter(Index begin) {
    begin_ = begin;
    last_ = Kokkos::min<Index>(begin + stretch, tables_.n_out - 1);
    groups_ = (Kokkos::min<Index>(begin + stretch, tables_.n_out) - begin + group_ - 1) / group_;
    if (whole_) return;
    peak_[0] = entered_ && known_ == begin ? peak_[known_at_] : peak(begin, 0, n_ - 1);
    peak_[groups_] = peak(last_, 0, n_ - 1);
    entered_ = true;
    known_ = last_;
    known_at_ = groups_;
    Index step = 2;
    while (step < groups_ * 2) step *= 2;
    for (; step >= 2; step /= 2) {
      for (Index k = step / 2; k < groups_; k += step) {
        const Index right = Kokkos::min<Index>(k + step / 2, groups_);
        peak_[k] =
            peak(sample(k), peak_[k - step / 2].first, Kokkos::max(peak_[k - step / 2].first, peak_[right].last));
      }
    }
  }

  /// After enter.
  KOKKOS_FORCEINLINE_FUNCTION void find_windows() {
    if (whole_) return;
    Index l = 0;
    for (Index k = 0; k <= groups_; ++k) l = left_[k] = first_within(k, l);
    Index r = n_ - 1;
    for (Index k = groups_; k >= 0; --k) r = right_[k] = last_within(k, r);
  }

  KOKKOS_FORCEINLINE_FUNCTION Index groups() const { return groups_; }
  KOKKOS_FORCEINLINE_FUNCTION Index first_output(Index k) const { return begin_ + k * group_; }
  KOKKOS_FORCEINLINE_FUNCTION Index left(Index k) const { return whole_ ? 0 : left_[k]; }
  KOKKOS_FORCEINLINE_FUNCTION Index right(Index k) const { return whole_ ? n_ - 1 : right_[k + 1]; }
  /// The maxima of all lanes at all outputs of group k lie in [first_peak, last_peak].
  KOKKOS_FORCEINLINE_FUNCTION Index first_peak(Index k) const { return peak_[k].first; }
  KOKKOS_FORCEINLINE_FUNCTION Index last_peak(Index k) const { return Kokkos::max(peak_[k].first, peak_[k + 1].last); }

 private:
  struct Peak {
    Wide top;
    Index first, last;  // of the lanes' positions
  };

  KOKKOS_FORCEINLINE_FUNCTION Index sample(Index k) const { return Kokkos::min<Index>(begin_ + k * group_, last_); }
  KOKKOS_FORCEINLINE_FUNCTION Index end_of(Index b) const { return Kokkos::min<Index>((b + 1) * block, n_); }

  KOKKOS_FORCEINLINE_FUNCTION void find_block_maxima() {
    line_max_ = tile_[0];
    for (Index b = 0; b * block < n_; ++b) {
      Wide top = tile_[b * block];
      for (Index j = b * block + 1; j < end_of(b); ++j) top = lanes::max(top, tile_[j]);
      block_max_[b] = top;
      line_max_ = lanes::max(line_max_, top);
    }
  }

  /// Lines of zeros become copies of another line, so that they neither widen windows nor need a case of their own.
  KOKKOS_FORCEINLINE_FUNCTION void copy_over_dead_lanes() {
    int alive = -1;
    for (int l = 0; l < lanes::width; ++l) {
      if (lanes::lane(line_max_, l) > 0.5 * log_zero) alive = l;
    }
    all_dead_ = alive < 0;
    if (all_dead_) return;
    for (int l = 0; l < lanes::width; ++l) {
      if (lanes::lane(line_max_, l) > 0.5 * log_zero) continue;
      Real* values = reinterpret_cast<Real*>(tile_);
      const Index count = scratch_values(n_);  // the tile and its block maxima
      for (Index j = 0; j < count; ++j) values[j * lanes::width + l] = values[j * lanes::width + alive];
    }
  }

  /// phi <= that in block b, at output i.
  KOKKOS_FORCEINLINE_FUNCTION Wide limit(const Real* row, Index b, Index nearest) const {
    const Index j = Kokkos::clamp<Index>(nearest, b * block, end_of(b) - 1);
    return block_max_[b] - row[-tables_.step_in * j];
  }

  /// The maxima at output i and where they are, over j in [first, last].
  KOKKOS_FORCEINLINE_FUNCTION Peak peak(Index i, Index first, Index last) const {
    const Real* row = tables_.row(table_, i);
    Wide top = lanes::broadcast(2.0 * log_zero);
    Wide at = lanes::broadcast(static_cast<Real>(first));
    if (last - first < 4 * block) {
      for (Index j = first; j <= last; ++j) lanes::raise(top, at, phi(row, j), static_cast<Real>(j));
    } else {
      const Index first_block = first / block;
      const Index last_block = last / block;
      const Index nearest = tables_.nearest[i];
      Wide least = top;  // whole blocks: their maxima less their largest costs
      for (Index b = first_block + 1; b < last_block; ++b) {
        const Real costs = Kokkos::max(row[-tables_.step_in * (b * block)], row[-tables_.step_in * (end_of(b) - 1)]);
        least = lanes::max(least, block_max_[b] - costs);
      }
      for (Index b = first_block; b <= last_block; ++b) {
        if (!lanes::any_at_least(limit(row, b, nearest), lanes::max(least, top))) continue;
        const Index end = Kokkos::min<Index>(end_of(b), last + 1);
        for (Index j = Kokkos::max<Index>(b * block, first); j < end; ++j)
          lanes::raise(top, at, phi(row, j), static_cast<Real>(j));
      }
    }
    Real low = lanes::lane(at, 0);
    Real high = low;
    for (int l = 1; l < lanes::width; ++l) {
      low = Kokkos::min(low, lanes::lane(at, l));
      high = Kokkos::max(high, lanes::lane(at, l));
    }
    return {top, static_cast<Index>(low), static_cast<Index>(high)};
  }

  /// What an entry must reach in some lane at sample k to count.
  KOKKOS_FORCEINLINE_FUNCTION Wide threshold(Index k) const {
    const Wide top = peak_[k].top;
    const Wide size = lanes::max(top, lanes::broadcast(0.0) - top) + tables_.largest_scaled;
    return top - (size * rounding_slack + tau_);
  }

  /// The first entry from j on that counts at sample k.
  KOKKOS_FORCEINLINE_FUNCTION Index first_within(Index k, Index j) const {
    const Real* row = tables_.row(table_, sample(k));
    const Wide least = threshold(k);
    const Index nearest = tables_.nearest[sample(k)];
    while (j < n_ - 1) {
      if (j % block == 0 && !lanes::any_at_least(limit(row, j / block, nearest), least)) {
        j = end_of(j / block);
        continue;
      }
      if (lanes::any_at_least(phi(row, j), least)) break;
      ++j;
    }
    return Kokkos::min<Index>(j, n_ - 1);
  }

  /// The last entry up to j that counts at sample k.
  KOKKOS_FORCEINLINE_FUNCTION Index last_within(Index k, Index j) const {
    const Real* row = tables_.row(table_, sample(k));
    const Wide least = threshold(k);
    const Index nearest = tables_.nearest[sample(k)];
    while (j > 0) {
      if (j + 1 == end_of(j / block) && !lanes::any_at_least(limit(row, j / block, nearest), least)) {
        j = j / block * block - 1;
        continue;
      }
      if (lanes::any_at_least(phi(row, j), least)) break;
      --j;
    }
    return Kokkos::max<Index>(j, 0);
  }

  const Tables& tables_;
  const Real* table_;
  Index n_, group_;
  bool whole_;
  Real tau_;
  Wide* tile_;
  Wide* block_max_;
  Wide line_max_{};
  bool all_dead_ = false;
  bool entered_ = false;
  Index begin_ = 0, last_ = 0, groups_ = 0;
  Index known_ = 0, known_at_ = 0;  // the last sample of the stretch before
  Peak peak_[most_samples];
  Index left_[most_samples], right_[most_samples];
};

}  // namespace
}  // namespace hpot
