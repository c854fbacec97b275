// What hpot-sinkhorn prints and writes.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/solve_transport.hpp"

namespace hpot {

/// One part's values, potentials, history and picture. Collective; rank 0 writes (`file` is null elsewhere).
void write_transport(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const TransportSolution& solution);

/// For people, on rank 0's stdout. Local.
void print_transport(const std::string& group, const TransportSolution& solution);

}  // namespace hpot
