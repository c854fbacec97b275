// Anderson mixing of every pair of a chunk by itself (acceleration.hpp), with memory in PairSweeps; 0 slots: plain sweeps.
//
// Pairs whose error meets the stage's tolerance leave the batch; those that have made `max_iterations` sweeps, or are not
// finite where nothing can be taken up again, are given up.
#pragma once

#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/pair_sweeps.hpp"

namespace hpot {

/// Sweeps that `acceleration` (anderson or none) mixes.
inline Index mixed_sweeps(const AccelerationOptions& acceleration) {
  return acceleration.type == "anderson" ? acceleration.memory : 0;
}

/// `sweeps` is the map that advance() will be given, outlives it and has room for `memory` sweeps, those that are mixed.
std::unique_ptr<Acceleration> make_pair_mixing(PairSweeps& sweeps, Index memory, Index max_iterations);

}  // namespace hpot
