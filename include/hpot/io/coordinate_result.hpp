// What hpot-coordinates prints and writes.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/coordinates.hpp"

namespace hpot {

/// A few lines about the weights and both projections, and advice where it did not converge. For people, on rank 0. Local.
void print_coordinates(const RunRecord& run, const CoordinateSettings& settings, const CoordinateSolution& solution);

/// HDF5; NIfTI of both projections beside it where the target was a volume with an affine, GIfTI of surfaces; a picture of the target and both projections.
/// `target`: the owned rows, of mass 1. Collective; `file` is null but on rank 0.
void write_coordinates(const ProcessGrid& processes, const OutputOptions& output, Hdf5Writer* file,
                       const Support& support, const RunRecord& run, const CoordinateSettings& settings,
                       const Field& target, const CoordinateSolution& solution);

}  // namespace hpot
