// Gradients of OT_eps (transport_gradient.hpp) in a result file, everything in the order and shape of the input:
//
//   /gradient/source/weights, /gradient/target/weights       by every weight of the problem solved
//   /gradient/source/positions, /gradient/target/positions   [point,axis], by the places of a cloud's points
// `of` says what of, `held_fixed` what stays; `constant`, where both sides are balanced, which one was chosen.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/problem/transport_gradient.hpp"

namespace hpot {

/// `problem` has the run's penalties and epsilon; f and g are of its owned rows. Rank 0 writes into `group`/gradient of
/// `file`, which is null elsewhere. Collective.
void write_gradient(const Communicator& world, const std::string& group, Hdf5Writer* file, const KernelOptions& kernel,
                    const std::vector<Support>& supports, const TransportProblem& problem, const ConstField& f,
                    const ConstField& g);

}  // namespace hpot
