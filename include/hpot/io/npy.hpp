// NumPy's .npy arrays.
#pragma once

#include "hpot/io/hdf5_file.hpp"

#include <string>

namespace hpot {

/// .npy, format versions 1 to 3: bool, integers of 1 to 8 bytes, float32 and float64, both byte orders, C and Fortran
/// order. Any number of dimensions, none of length 0. InputError: another type, cut short, not such a file. Local.
Array read_npy(const std::string& path);
/// Entries `items` of the first axis alone (an array in Fortran order is read whole for it).
Array read_npy_items(const std::string& path, Range items);
/// Values [first, last) in C order, of an array of `values.end` at least.
std::vector<Real> read_npy_values(const std::string& path, Range values);
/// Shape only, from the header; `whole`: InputError where the file is too short for it.
std::vector<Index> read_npy_shape(const std::string& path, bool whole = false);

}  // namespace hpot
