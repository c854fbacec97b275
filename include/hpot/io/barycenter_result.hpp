// What hpot-barycenter writes.
#pragma once

#include "hpot/io/companions.hpp"
#include "hpot/io/result.hpp"
#include "hpot/solver/solve_barycenter.hpp"

namespace hpot {

/// One line about row number `row` of `rows`, and advice where it did not converge. For people, on rank 0. Local.
void print_barycenter(const std::string& group, std::size_t row, std::size_t rows, const StoppingOptions& stopping,
                      const BarycenterSolution& solution);

/// One part's barycenters, one per row of `lambdas`, and their companions: HDF5; NIfTI beside it where the inputs were volumes
/// with an affine, GIfTI of surfaces; a picture of all rows. With a free support also what free_support_result.hpp lists. Collective; rank 0 writes (`file` is
/// null elsewhere).
void write_barycenters(const ProcessGrid& processes, const OutputOptions& output, const std::string& group,
                       Hdf5Writer* file, const Support& support, const RunRecord& run,
                       const std::vector<std::vector<Real>>& lambdas, const std::vector<BarycenterSolution>& solutions,
                       const Companions& companions);

}  // namespace hpot
