// Times of work that all ranks do together.
#pragma once

#include "hpot/core/communicator.hpp"
#include "hpot/core/step_times.hpp"

namespace hpot {

/// From a barrier to the end of `work` on the last rank, of each of `count` calls. Collective.
std::vector<Real> sweep_seconds(const Communicator& world, Index count, const std::function<void()>& work);

/// The value below which a share q of `values` lies, one of them.
Real quantile(std::vector<Real> values, double q);

/// "step least/mean/most;..." over ranks, the seconds of one of so many sweeps. Steps must be the same on all ranks.
/// Collective.
std::string steps_text(const Communicator& world, const StepTimes& times, Real sweeps);

}  // namespace hpot
