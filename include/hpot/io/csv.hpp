// Tables of numbers in text files.
#pragma once

#include "hpot/io/hdf5_file.hpp"

#include <string>

namespace hpot {

/// .csv or .csv.gz: one row a line, numbers separated by commas, semicolons, tabs or spaces; '#' opens a comment; a
/// first line without any number is a header. nan is a number. Shape (rows, columns). Ragged rows, empty fields and
/// anything else that is no number are InputErrors that name file and line. Local.
Array read_csv(const std::string& path);

}  // namespace hpot
