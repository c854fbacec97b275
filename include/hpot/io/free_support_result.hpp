// What hpot-barycenter writes of barycenters with a free support, besides what it writes of any (README, 'Barycenters of
// clouds').
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/solve_barycenter.hpp"

namespace hpot {

/// Places of the points, potentials, values of every measure and the course of F; one solution for every row of weights.
/// Potentials of all measures are gathered on rank 0. Collective; rank 0 writes (`file` is null elsewhere).
void write_free_supports(const ProcessGrid& processes, const std::string& group, Hdf5Writer* file, const RunRecord& run,
                         const std::vector<BarycenterSolution>& solutions);

/// Pictures of all rows' points. Local.
std::vector<Raster> pictures_of_free_supports(const std::vector<BarycenterSolution>& solutions,
                                              const std::vector<std::vector<Real>>& weights);

}  // namespace hpot
