// The second page of hpot-sinkhorn: one source against many targets, or all pairs of many measures. Collective.
#pragma once

#include "hpot/core/error.hpp"
#include "hpot/core/options.hpp"

namespace hpot {

/// input.source and input.target, one pair; or either with a target of many measures, or input.measures.
std::vector<OptionKey> measure_keys();

/// True where the input names many pairs. InputError where it names none, or both kinds. Collective.
bool wants_distances(const Communicator& world, const Options& options);

ExitCode run_distances(const Communicator& world, const Options& options, const char* program);

}  // namespace hpot
