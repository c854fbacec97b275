// A kernel operator whose rows are divided over ranks: gathers the other side's h, then computes the owned rows locally.
// Bytes per softmin and rank: 8 * batch * (points of the other side), received once; average receives twice
// that.
#pragma once

#include "hpot/kernel/operator.hpp"

namespace hpot {

/// Wraps `local` (which takes all points of the other side). Collective in every reduction. With one rank along rows
/// `local` itself is returned.
std::unique_ptr<KernelOperator> make_distributed_operator(std::unique_ptr<KernelOperator> local,
                                                          const Communicator& along_rows, const Partition& source,
                                                          const Partition& target);

/// `terms` with the values of all points of the target. Collective; with one rank along rows `terms` itself.
SweepTerms gathered_terms(const SweepTerms& terms, const Communicator& along_rows, const Partition& target);

}  // namespace hpot
