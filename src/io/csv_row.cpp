#include "hpot/io/csv_row.hpp"

#include "hpot/core/error.hpp"

#include <cstdio>
#include <fstream>

namespace hpot {

void append_row(const std::string& file, const CsvColumns& columns) {
  std::string head, row;
  for (const auto& [name, value] : columns) {
    head += (head.empty() ? "" : ",") + name;
    row += (row.empty() ? "" : ",") + value;
    std::printf("%-24s %s\n", name.c_str(), value.c_str());
  }
  std::string first;
  std::ifstream before(file);
  std::getline(before, first);
  require(first.empty() || first == head, file, "it is a table of another kind", "name another file");
  std::ofstream out(file, std::ios::app);
  if (first.empty()) out << head << '\n';
  out << row << '\n' << std::flush;
  require(static_cast<bool>(out), file, "cannot be written", "check that the folder may be written to and has room");
}

}  // namespace hpot
