#include "hpot/core/partition.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>

namespace hpot {

Partition::Partition(Index global_n, Index tile, int parts) : global_n_(global_n), tile_(std::max<Index>(tile, 1)) {
  const Index count = tiles();
  offsets_.assign(parts + 1, 0);
  for (int part = 0; part <= parts; ++part) {
    const Index first_tile = count / parts * part + std::min<Index>(part, count % parts);
    offsets_[part] = std::min(first_tile * tile_, global_n);
  }
}

OwnedBatch::OwnedBatch(const Communicator& along_batches, Index here) : along_batches_(along_batches) {
  std::vector<Real> owned(static_cast<std::size_t>(along_batches.size()), 0.0);
  owned[along_batches.rank()] = static_cast<Real>(here);
  along_batches.sum(owned);
  for (int r = 0; r < along_batches.size(); ++r) {
    if (r < along_batches.rank()) range_.begin += static_cast<Index>(owned[r]);
    count_ += static_cast<Index>(owned[r]);
  }
  range_.end = range_.begin + here;
}

std::vector<Real> OwnedBatch::part_of(const std::vector<Real>& all) const {
  return {all.begin() + range_.begin, all.begin() + range_.end};
}

std::vector<Real> OwnedBatch::of_all(const std::vector<Real>& owned, std::size_t rows) const {
  std::vector<Real> all(rows * static_cast<std::size_t>(count_), 0.0);
  for (std::size_t m = 0; m < rows; ++m)
    std::copy_n(owned.begin() + m * range_.size(), range_.size(), all.begin() + m * count_ + range_.begin);
  along_batches_.sum(all);  // an entry has one owner: zeros are added, no rounding
  return all;
}

ProcessGridShape choose_process_grid(int ranks, Index row_tiles, Index batch) {
  const auto share = [](Index n, int parts) { return (std::max<Index>(n, 1) + parts - 1) / parts; };
  ProcessGridShape best{ranks, 1};
  for (int batches = 1; batches <= ranks; ++batches) {
    if (ranks % batches != 0) continue;
    const ProcessGridShape shape{ranks / batches, batches};
    const Index work = share(row_tiles, shape.rows) * share(batch, shape.batches);
    if (work <= share(row_tiles, best.rows) * share(batch, best.batches)) best = shape;
  }
  return best;
}

namespace {

ProcessGridShape checked(const Communicator& world, ProcessGridShape shape) {
  require(shape.rows >= 1 && shape.batches >= 1 && shape.rows * shape.batches == world.size(),
          "parallel.rows = " + std::to_string(shape.rows) + ", parallel.batches = " + std::to_string(shape.batches),
          "their product must be the number of ranks, " + std::to_string(world.size()),
          "set one of them to auto, or start another number of ranks");
  return shape;
}

}  // namespace

ProcessGrid::ProcessGrid(const Communicator& world, ProcessGridShape shape)
    : world_(world),
      shape_(checked(world, shape)),
      along_rows_(world.split(world.rank() % shape.batches)),
      along_batches_(world.split(world.rank() / shape.batches)) {}

}  // namespace hpot
