// Cost matrices from files: .npy, FILE.h5:/dataset, .csv or .csv.gz; and synthetic:FAMILY?... (synthetic_matrix.hpp).
#pragma once

#include "hpot/io/input.hpp"
#include "hpot/kernel/registry.hpp"

#include <string>

namespace hpot {

/// Rows and columns, from the header where the format has one. Local. InputError: no matrix, no such file.
std::pair<Index, Index> read_matrix_shape(const std::string& file);

/// options.matrix: the rows of options.matrix_file that this rank owns among those of supports[0], read in blocks of some MiB by
/// each rank, rounded to floats where options.short_storage. Its name and digest go to what else `raw` has read. Collective over `along_rows`. InputError where the shape is not that of the
/// supports, or an entry is NaN, infinite, negative or too large for a float.
void read_cost_matrix(const Communicator& along_rows, const std::vector<Support>& supports, KernelOptions& options,
                      RawMeasures& raw);

}  // namespace hpot
