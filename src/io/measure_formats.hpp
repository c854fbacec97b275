// The formats of measures' files: what each can be read as. Local.
#pragma once

#include "measure_source.hpp"

#include "hpot/io/cloud_file.hpp"

#include <string>
#include <vector>

namespace hpot {

inline constexpr Index highest_index = Index{1} << 31;

/// One row per format: adding one is adding a row.
struct MeasureFormat {
  std::string name;
  std::vector<std::string> endings;
  std::vector<std::string> qualifiers;
  /// How many measures a container holds; 0 where the source is a single one.
  Index (*count)(const MeasureSource&);
  GridData (*read)(const MeasureSource&);
  Grid (*grid)(const MeasureSource&);          // without the values
  Array (*table)(const MeasureSource&);        // null where rows cannot be points
  Array (*rows)(const MeasureSource&, Range);  // null where a part of the table takes as long as all of it
  std::vector<Index> (*shape)(const MeasureSource&);
  CloudData (*cloud)(const std::string& path);  // null where it is no format of clouds alone
  bool colors = false;                          // whether pixels can be points of the RGB cube
  /// Values of some planes of the grid; null where that takes as long, and as much memory, as all of them.
  std::vector<Real> (*planes)(const MeasureSource&, const Grid&, Range) = nullptr;
  bool on_surface = false;  // whether it holds a value for every vertex of a surface
};

/// By the ending of the path, or by the first bytes of FreeSurfer's maps; InputError with the list of known ones.
const MeasureFormat& measure_format_of(const MeasureSource& source);

/// Whether what the source asks for is a cloud of points.
bool gives_cloud(const MeasureSource& source, const MeasureFormat& format);

/// InputError for qualifiers that the format does not know, or that do not go together.
void check_qualifiers(const MeasureSource& source, const MeasureFormat& format);

}  // namespace hpot
