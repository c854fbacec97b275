// What a solve records of its course: one entry per recorded sweep.
#pragma once

#include <cstdint>
#include <vector>

namespace hpot {

struct HistoryEntry {
  std::int64_t iteration = 0;  // sweeps since the start, all levels
  std::int32_t level = 0;      // 0 is the finest grid
  double epsilon = 0.0;
  double marginal_error = 0.0;  // L1, relative to the mass; the larger of the sides, or of the measures
  double seconds = 0.0;         // since the start
  std::int32_t row = 0;         // of barycenter.weights, from 0
};

using History = std::vector<HistoryEntry>;

}  // namespace hpot
