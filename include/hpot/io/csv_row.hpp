// One row of a table that several runs write to.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hpot {

/// Names and values, without commas or line ends.
using CsvColumns = std::vector<std::pair<std::string, std::string>>;

/// Adds a row to `file`, with a line of names where it is new; prints both to stdout. InputError where the file holds other
/// columns or cannot be written. Local.
void append_row(const std::string& file, const CsvColumns& columns);

}  // namespace hpot
