// parallel.rows, parallel.batches: the process grid that a user asks for.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/partition.hpp"

namespace hpot {

struct ParallelOptions {
  int rows = 0;     // 0: choose
  int batches = 0;  // 0: choose

  static std::vector<OptionKey> keys();
  static ParallelOptions from(const Options& options);

  /// Fills in what is to be chosen for `batch` measures of many rows each; ProcessGrid refuses what does not fit.
  [[nodiscard]] ProcessGridShape shape(int ranks, Index batch) const;
};

}  // namespace hpot
