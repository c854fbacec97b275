// Seconds that a piece of work takes: once to warm up, then again and again. Waits for the device. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>

namespace hpot {

/// At least so many repetitions, and more until so many seconds have passed.
struct Effort {
  Index repetitions = 3;
  double seconds = 0.5;
};

/// Of one repetition. The least is the one that says most about a kernel: whatever else a machine does only adds.
struct Timing {
  double least = 0.0;
  double median = 0.0;
  double most = 0.0;
};

Timing time_of(const Effort& effort, const std::function<void()>& work);

}  // namespace hpot
