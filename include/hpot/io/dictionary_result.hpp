// What hpot-dictionary prints and writes.
#pragma once

#include "hpot/io/result.hpp"
#include "hpot/solver/dictionary.hpp"

namespace hpot {

/// A few lines about the loss and what the atoms weigh, and advice where it did not converge. For people, on rank 0. Local.
void print_dictionary(const RunRecord& run, const DictionarySettings& settings, const DictionarySolution& solution);

/// HDF5: /atoms, measures that programs read as FILE.h5:/atoms?stack=1, and /weights; NIfTI of each atom beside it where the maps were
/// volumes with an affine, GIfTI of surfaces; a picture of all atoms. Collective; rank 0 writes (`file` is null elsewhere).
void write_dictionary(const Communicator& world, const OutputOptions& output, Hdf5Writer* file, const Support& support,
                      const RunRecord& run, const DictionarySettings& settings, const DictionarySolution& solution);

}  // namespace hpot
