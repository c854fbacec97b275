// Blocks of all ranks, window by window, as calls of MPI 3 take them: with counts and starts that an int holds. Part of
// communicator.cpp.
#pragma once

#include "hpot/core/types.hpp"

#include <algorithm>
#include <vector>

namespace hpot {

/// Of doubles: an int holds their bytes, too.
inline constexpr Index values_of_a_call = Index{1} << 27;

/// What windows of `at_once` consecutive values have of blocks that begin at `offsets`, the last of which is the end of all:
/// call(first of this rank's in its own block, first of the window, counts of all ranks, their starts in the window).
template <class Call>
void in_windows(const std::vector<Index>& offsets, int rank, Index at_once, const Call& call) {
  std::vector<int> counts(offsets.size() - 1), starts(offsets.size() - 1);
  for (Index begin = 0; begin < offsets.back(); begin += at_once) {
    const Index end = std::min(begin + at_once, offsets.back());
    for (std::size_t r = 0; r < counts.size(); ++r) {
      const Index first = std::clamp(offsets[r], begin, end);
      counts[r] = static_cast<int>(std::clamp(offsets[r + 1], begin, end) - first);
      starts[r] = static_cast<int>(first - begin);
    }
    call(std::clamp(begin, offsets[rank], offsets[rank + 1]) - offsets[rank], begin, counts, starts);
  }
}

}  // namespace hpot
