// Who owns what: a process grid of rows x batches, and blocks of tiles along each index set.
//
// A rank (r, b) of the grid owns rows r of every support and measures b of the batch. Rows are dealt out in whole tiles
// (a plane of a volume, a row of an image), so that sums formed tile by tile are the same on any number of ranks.
#pragma once

#include "hpot/core/communicator.hpp"

namespace hpot {

/// Contiguous blocks of tiles: tiles are dealt as evenly as possible, the first blocks take one more. Local, immutable.
class Partition {
 public:
  Partition() = default;
  Partition(Index global_n, Index tile, int parts);

  [[nodiscard]] Index global_n() const { return global_n_; }
  [[nodiscard]] Index tile() const { return tile_; }
  [[nodiscard]] Index tiles() const { return tile_ == 0 ? 0 : (global_n_ + tile_ - 1) / tile_; }
  [[nodiscard]] Range block(int part) const { return {offsets_[part], offsets_[part + 1]}; }
  /// parts + 1 boundaries, as Communicator::gather_points takes them.
  [[nodiscard]] const std::vector<Index>& offsets() const { return offsets_; }

 private:
  Index global_n_ = 0;
  Index tile_ = 1;
  std::vector<Index> offsets_{0, 0};
};

/// Entries of a batch that is divided over ranks, in their order: those owned here, and how many there are.
class OwnedBatch {
 public:
  /// Of `here` entries on this rank. Collective.
  OwnedBatch(const Communicator& along_batches, Index here);

  [[nodiscard]] Range range() const { return range_; }
  [[nodiscard]] Index count() const { return count_; }
  [[nodiscard]] std::vector<Real> part_of(const std::vector<Real>& all) const;
  /// `owned` holds `rows` rows of one number per entry owned here; all entries' numbers, row by row. Collective.
  [[nodiscard]] std::vector<Real> of_all(const std::vector<Real>& owned, std::size_t rows = 1) const;

 private:
  Communicator along_batches_;
  Range range_;
  Index count_ = 0;
};

struct ProcessGridShape {
  int rows = 1;
  int batches = 1;
};

/// The shape that makes the largest share of work smallest; on a tie the one with more batches (no gather of rows).
ProcessGridShape choose_process_grid(int ranks, Index row_tiles, Index batch);

/// Collective construction; InputError unless shape.rows * shape.batches is the number of ranks. `along_rows` joins the ranks that share a batch, `along_batches` those that share rows.
class ProcessGrid {
 public:
  ProcessGrid(const Communicator& world, ProcessGridShape shape);

  [[nodiscard]] const Communicator& world() const { return world_; }
  [[nodiscard]] const Communicator& along_rows() const { return along_rows_; }
  [[nodiscard]] const Communicator& along_batches() const { return along_batches_; }
  [[nodiscard]] ProcessGridShape shape() const { return shape_; }

 private:
  Communicator world_;
  ProcessGridShape shape_;
  Communicator along_rows_;
  Communicator along_batches_;
};

}  // namespace hpot
