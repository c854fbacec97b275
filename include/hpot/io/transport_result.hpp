// What hpot-sinkhorn prints and writes.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/solve_transport.hpp"

namespace hpot {

/// Both measures on rank 0, where output.picture asks for them; else nothing. Collective.
Raster picture_of_pair(const Communicator& world, const OutputOptions& output, const std::vector<Support>& supports,
                       const std::vector<std::vector<Real>>& weights);

/// One part's values, potentials, history and picture. Collective; rank 0 writes (`file` is null elsewhere).
void write_transport(const Communicator& world, const OutputOptions& output, const std::string& group, Hdf5Writer* file,
                     const RunRecord& run, const TransportSolution& solution, const Raster& picture);

/// Prints and writes it on rank 0; says so where one of its solves did not converge, and then writes nothing. Collective.
void write_divergence(const Communicator& world, const std::string& group, Hdf5Writer* file,
                      const Divergence& divergence);

/// For people, on rank 0's stdout; on its stderr a warning where a run converged to a tolerance below the error floor.
/// Values that are not known are left out. Local.
void print_transport(const std::string& group, const TransportSolution& solution);

}  // namespace hpot
