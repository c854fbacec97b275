#include "hpot/io/measure_file.hpp"

#include "byte_reader.hpp"
#include "cloud_checks.hpp"
#include "measure_formats.hpp"

#include "hpot/core/error.hpp"
#include "hpot/measure/rows.hpp"
#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_picture.hpp"
#include "hpot/measure/synthetic_points.hpp"
#include "hpot/measure/synthetic_surface.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>

namespace hpot {
namespace {

std::vector<std::string> matching_files(const MeasureSource& source) {
  std::error_code error;
  const auto status = std::filesystem::status(source.path, error);
  require(!std::filesystem::is_directory(status), source.path, "a folder", "name its files, e.g. FOLDER/*.nii.gz");
  if (std::filesystem::exists(status)) return {source.path};
  const bool pattern = source.path.find_first_of("*[") != std::string::npos;
  require(pattern, source.path, "no such file", "check the name and the working directory");
  glob_t found{};
  std::vector<std::string> files;
  if (glob(source.path.c_str(), 0, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  require(!files.empty(), source.path, "no file matches this pattern", "check the pattern and the working directory");
  std::sort(files.begin(), files.end());
  return files;
}

/// How many measures `source` stands for, `items` of them being there.
Index wanted_count(const MeasureSource& source, Index items) {
  const Index wanted = source.integer("count", items, highest_index);
  if (wanted < 1 || wanted > items) {
    source.reject("count", "there are " + std::to_string(items) + " to choose from",
                  "ask for 1 to " + std::to_string(items));
  }
  return wanted;
}

void expand(const MeasureSource& source, std::vector<std::string>& texts) {
  if (source.path.empty()) {
    if (source.has("item")) return texts.push_back(source.text);
    const std::string family = source.text.substr(synthetic_prefix.size());
    const Index count = is_synthetic_cloud(family)     ? synthetic_cloud_count(family)
                        : is_synthetic_picture(family) ? synthetic_picture_count(family)
                        : is_synthetic_surface(family) ? synthetic_surface_count(family)
                                                       : synthetic_count(family);
    for (Index item = 0; item < count; ++item) texts.push_back(measure_source_text(source, {}, item));
    return;
  }
  for (const std::string& path : matching_files(source)) {
    MeasureSource one = source;
    one.path = path;
    const MeasureFormat& format = measure_format_of(one);
    check_qualifiers(one, format);
    const Index items = one.has("item") ? 0 : format.count(one);
    if (items == 0) {
      if (one.has("count")) one.reject("count", "this is one measure", "leave it out");
      texts.push_back(measure_source_text(one, path, -1));
      continue;
    }
    const Index wanted = wanted_count(one, items);
    for (Index item = 0; item < wanted; ++item) texts.push_back(measure_source_text(one, path, item));
  }
}

void set_spacing(const MeasureSource& source, Grid& grid) {
  const std::vector<Real> spacing = source.spacing();
  if (spacing.empty()) return;
  const std::size_t dimension = grid.axes.size();
  if (spacing.size() != 1 && spacing.size() != dimension) {
    source.reject("spacing", std::to_string(spacing.size()) + " numbers for " + std::to_string(dimension) + " axes",
                  "give one for all, or one for each in the order x, y, z");
  }
  for (std::size_t d = 0; d < dimension; ++d) {
    grid.axes[dimension - 1 - d].spacing = spacing[spacing.size() == 1 ? 0 : d];
  }
}

/// The format of a source that stands for one measure.
const MeasureFormat& format_of_one(const MeasureSource& source) {
  const MeasureFormat& format = measure_format_of(source);
  check_qualifiers(source, format);
  const Index items = source.has("item") ? 0 : format.count(source);
  const Index wanted = items == 0 ? 1 : wanted_count(source, items);
  require(wanted == 1, source.text, "stands for " + std::to_string(wanted) + " measures",
          "choose one with item=0 to item=" + std::to_string(wanted - 1));
  return format;
}

Raster raster_of(const MeasureSource& source) {
  if (!source.path.empty()) return read_raster(source.path);
  SyntheticPicture picture =
      synthetic_picture(source.text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index));
  return {picture.width, picture.height, std::move(picture.rgb)};
}

CloudData read_colors(const MeasureSource& source) {
  constexpr Index pixels = 10000;
  const Index wanted = source.integer("pixels", pixels, highest_index);
  if (wanted == 0) source.reject("pixels", "no point is no measure", "give 1 or more");
  return colors_of(raster_of(source), wanted, source.text);
}

CloudData cloud_of(const MeasureSource& source, Array table) {
  const std::string weights = source.value("weights", "none");
  if (weights != "none" && weights != "last") source.reject("weights", "neither none nor last", "take one of both");
  return cloud_of_array(std::move(table), weights == "last" ? CloudWeights::last : CloudWeights::none, source.text);
}

CloudData read_cloud(const MeasureSource& source, const MeasureFormat& format) {
  if (format.cloud != nullptr) return format.cloud(source.path);
  if (source.value("as", "") == "colors") return read_colors(source);
  if (format.table == nullptr || source.value("as", "") == "voxels") {
    GridData data = format.read(source);
    set_spacing(source, data.grid);
    data.name = source.text;
    return voxels_of(data);
  }
  return cloud_of(source, format.table(source));
}

}  // namespace

std::vector<std::string> expand_measures(const std::string& list) {
  std::vector<std::string> texts;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = list.find(',', begin);
    const std::string part = list.substr(begin, end == std::string::npos ? end : end - begin);
    const auto first = part.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) continue;
    expand(parse_measure_source(part.substr(first, part.find_last_not_of(" \t\r\n") - first + 1)), texts);
  }
  require(!texts.empty(), "measures", "the list is empty", "name files, patterns or synthetic families");
  return texts;
}

Grid read_grid(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (source.path.empty()) {
    const std::string family = text.substr(synthetic_prefix.size());
    return is_synthetic_surface(family) ? make_grid({synthetic_surface_vertices(family)}, {1.0})
                                        : synthetic_grid(family);
  }
  Grid grid = format_of_one(source).grid(source);
  set_spacing(source, grid);
  return grid;
}

bool is_cloud(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (source.path.empty()) {
    const std::string family = text.substr(synthetic_prefix.size());
    return is_synthetic_cloud(family) || is_synthetic_picture(family);
  }
  const MeasureFormat& format = measure_format_of(source);
  check_qualifiers(source, format);
  return gives_cloud(source, format);
}

bool is_surface_map(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (source.path.empty()) return is_synthetic_surface(text.substr(synthetic_prefix.size()));
  return measure_format_of(source).on_surface;
}

bool is_colors(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (source.path.empty()) return is_synthetic_picture(text.substr(synthetic_prefix.size()));
  return source.value("as", "") == "colors";
}

Raster picture_of_colors(const std::string& text) { return raster_of(parse_measure_source(text)); }

std::vector<Index> shape_of_rows(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (source.path.empty() || !is_cloud(text)) return {};
  const MeasureFormat& format = format_of_one(source);
  if (format.rows == nullptr || source.value("as", "") != "points" || source.flag("stack")) return {};
  const std::vector<Index> shape = format.shape(source);
  if (shape.size() != 1 && shape.size() != 2) return {};
  check_number_of_points(shape[0], text);
  return shape;
}

Array read_rows(const std::string& text, Range rows) {
  const MeasureSource source = parse_measure_source(text);
  return format_of_one(source).rows(source, rows);
}

MeasureData measure_of_rows(const std::string& text, Array table) {
  CloudData cloud = cloud_of(parse_measure_source(text), std::move(table));
  cloud.name = text;
  return in_morton_order(std::move(cloud));
}

MeasureData read_planes(const std::string& text, Range planes) {
  const MeasureSource source = parse_measure_source(text);
  GridData data;
  data.grid = read_grid(text);
  data.name = text;
  if (planes.size() == 0 || planes.end > data.grid.axes[0].n) return data;
  if (source.path.empty()) {
    data.values =
        synthetic_planes(text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index), planes).values;
    return data;
  }
  const MeasureFormat& format = format_of_one(source);
  if (format.planes != nullptr) {
    data.values = format.planes(source, data.grid, planes);
    reject_infinite(data.values, text);
    return data;
  }
  const std::vector<Real> whole = format.read(source).values;
  const Index plane = plane_points(data.grid);
  data.values.assign(whole.begin() + planes.begin * plane, whole.begin() + planes.end * plane);
  return data;
}

MeasureData read_measure(const std::string& text) {
  const MeasureSource source = parse_measure_source(text);
  if (is_cloud(text)) {
    CloudData cloud;
    if (!source.path.empty()) {
      cloud = read_cloud(source, format_of_one(source));
    } else if (is_colors(text)) {
      cloud = read_colors(source);
    } else {
      cloud = synthetic_cloud(text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index));
    }
    cloud.name = text;
    return in_morton_order(std::move(cloud));
  }
  GridData data;
  if (source.path.empty() && is_surface_map(text)) {
    data.values = synthetic_surface_map(text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index));
    data.grid = make_grid({static_cast<Index>(data.values.size())}, {1.0});
  } else if (source.path.empty()) {
    data = synthetic_measure(text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index));
  } else {
    data = format_of_one(source).read(source);
    set_spacing(source, data.grid);
  }
  if (source.has("and")) {
    const std::string other = source.value("and", "");
    if (!is_surface_map(other)) source.reject("and", "no map on a surface", "give a .gii or one of FreeSurfer's");
    const std::vector<Real> more = read_measure(other).values;
    data.values.insert(data.values.end(), more.begin(), more.end());
    data.grid = make_grid({static_cast<Index>(data.values.size())}, {1.0});
  }
  data.name = text;
  return data;
}

}  // namespace hpot
