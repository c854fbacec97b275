// OBJ and XYZ.
#include "byte_reader.hpp"
#include "cloud_checks.hpp"
#include "text_lines.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/cloud_file.hpp"

namespace hpot {

namespace {

bool is_one_integer(std::string_view line) {
  const auto digits = std::min(line.find_first_not_of("0123456789"), line.size());
  return digits > 0 && line.find_first_not_of(" \t\r", digits) == std::string_view::npos;
}

void append_three(TextLines& lines, std::vector<Real>& coordinates) {
  for (int axis = 0; axis < 3; ++axis) coordinates.push_back(lines.number());
}

/// The chemists' format, after whose count `lines` stands.
CloudData read_atoms(TextLines& lines, Index count, const std::string& path) {
  lines.next();  // comment
  std::vector<Real> coordinates;
  Index atoms = 0;
  for (; lines.next_filled(false); ++atoms) {
    if (atoms == count) {
      lines.reject("more than the " + std::to_string(count) + " points that its first line claims",
                   "keep one frame of several");
    }
    lines.word();  // the element
    append_three(lines, coordinates);
  }
  require(atoms == count, path,
          "cut short: its first line claims " + std::to_string(count) +
              " points, after the comment on the second line " + std::to_string(atoms) + " follow",
          "get the file anew, or leave out the count");
  return checked_cloud(3, std::move(coordinates), path);
}

}  // namespace

CloudData read_obj(const std::string& path) {
  ByteReader reader(path);
  const std::string text = reader.rest();
  TextLines lines(text, path);
  std::vector<Real> coordinates;
  while (lines.next_filled(true)) {
    if (lines.word() == "v") append_three(lines, coordinates);
  }
  return checked_cloud(3, std::move(coordinates), path);
}

CloudData read_xyz(const std::string& path) {
  ByteReader reader(path);
  const std::string text = reader.rest();
  TextLines lines(text, path);
  std::vector<Real> coordinates;
  std::size_t dimension = 0;
  while (lines.next_filled(true)) {
    if (dimension == 0 && is_one_integer(lines.line())) return read_atoms(lines, lines.count("number of points"), path);
    const std::size_t before = coordinates.size();
    while (!lines.line().empty()) coordinates.push_back(lines.number());
    const std::size_t numbers = coordinates.size() - before;
    if (numbers < 2) lines.reject("one number where a point has two or more", "give every point a line of its own");
    if (dimension == 0) dimension = numbers;
    if (numbers != dimension) {
      lines.reject(std::to_string(numbers) + " numbers where the points above have " + std::to_string(dimension),
                   "give every point as many");
    }
  }
  return checked_cloud(static_cast<Index>(dimension), std::move(coordinates), path);
}

}  // namespace hpot
