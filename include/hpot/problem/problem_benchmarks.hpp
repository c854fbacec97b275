// What a sweep does per point between two softmins, for drivers/bench. Local.
#pragma once

#include "hpot/core/communicator.hpp"
#include "hpot/kernel/kernel_benchmarks.hpp"

namespace hpot {

/// On a volume whose fields take about `array_bytes`. `self` is of one rank.
std::vector<Benchmark> problem_benchmarks(const Communicator& self, Index array_bytes);

}  // namespace hpot
