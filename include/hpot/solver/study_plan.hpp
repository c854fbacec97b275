// What a study of many pairs holds and computes (pair_study.hpp): its chunks, --dry-run and resources.memory_limit. Local.
#pragma once

#include "hpot/solver/pair_study.hpp"
#include "hpot/solver/work_plan.hpp"

namespace hpot {

struct StudyRun {
  Support source, target;  // of clouds those with most points
  Index sources = 1;       // measures
  Index targets = 0;       // 0: the sources are both
  Index pairs = 0;
  int ranks = 1;
  int parts = 1;         // 2: input.negative = split
  Real room = infinity;  // bytes that a rank may take beside the program at its start
};

/// Pairs in a chunk: as many as keep its arrays in the last cache (GPU: as fill it), and the rank within its room; at least 1.
/// From sizes alone.
Index pairs_of_chunk(const TransportSettings& settings, const StudyRun& run);

WorkPlan plan_study(const TransportSettings& settings, const StudyRun& run);

}  // namespace hpot
