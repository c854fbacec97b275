#include "hpot/io/measure_file.hpp"

#include "byte_reader.hpp"
#include "measure_source.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/cloud_file.hpp"
#include "hpot/io/csv.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/idx.hpp"
#include "hpot/io/image.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/io/npy.hpp"
#include "hpot/measure/synthetic.hpp"
#include "hpot/measure/synthetic_picture.hpp"
#include "hpot/measure/synthetic_points.hpp"

#include <glob.h>

#include <algorithm>
#include <filesystem>

namespace hpot {

namespace {

constexpr Index highest_index = Index{1} << 31;

/// One row per format: adding one is adding a row.
struct Format {
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
};

Index one_measure(const MeasureSource&) { return 0; }

GridData read_volume(const MeasureSource& source) {
  return read_nifti(source.path, static_cast<int>(source.integer("frame", -1, highest_index - 1)));
}

Grid volume_grid(const MeasureSource& source) { return read_nifti_grid(source.path); }

GridData read_picture(const MeasureSource& source) {
  return read_image(source.path, source.value("channel", "luminance"), source.flag("invert"));
}

Grid picture_grid(const MeasureSource& source) { return read_picture(source).grid; }

IdxSelection idx_selection(const MeasureSource& source) { return {static_cast<int>(source.integer("label", -1, 255))}; }

Index count_idx(const MeasureSource& source) { return idx_count(source.path, idx_selection(source)); }

GridData read_idx_image(const MeasureSource& source) {
  return read_idx(source.path, idx_selection(source), source.integer("item", 0, highest_index));
}

Grid idx_grid(const MeasureSource& source) { return read_idx_grid(source.path); }

/// Axes of length 1 are dropped, the last point's apart.
Grid array_grid(std::vector<Index> shape, const MeasureSource& source) {
  std::erase(shape, Index{1});
  if (shape.empty()) shape = {1};
  require(shape.size() <= 3, source.text, "an array of " + std::to_string(shape.size()) + " dimensions",
          "measures have 1 to 3; where the first axis counts measures, say ?stack=1");
  return make_grid(shape, {1.0});
}

GridData grid_data(Array array, const MeasureSource& source) {
  GridData data;
  data.grid = array_grid(std::move(array.shape), source);
  reject_infinite(array.values, source.text);
  data.values = std::move(array.values);
  return data;
}

Array table_array(const MeasureSource& source) { return read_csv(source.path); }
GridData read_table(const MeasureSource& source) { return grid_data(table_array(source), source); }
Grid table_grid(const MeasureSource& source) { return read_table(source).grid; }

Index count_stack(const MeasureSource& source, const std::vector<Index>& shape) {
  if (!source.flag("stack")) return 0;
  if (shape.size() < 2) source.reject("stack", "the array has one dimension", "leave it out");
  return shape.front();
}

/// The one item of a stack that `source` picks, -1 where it is no stack.
Index item_of(const MeasureSource& source, const std::vector<Index>& shape) {
  if (!source.flag("stack")) {
    if (source.has("item"))
      source.reject("item", "the array is one measure", "say stack=1 where its first axis counts");
    return -1;
  }
  const Index items = count_stack(source, shape);
  const Index item = source.integer("item", 0, highest_index);
  if (item >= items) source.reject("item", "there are " + std::to_string(items) + " measures", "items count from 0");
  return item;
}

Grid stackable_grid(const MeasureSource& source, const std::vector<Index>& shape) {
  return array_grid({shape.begin() + (item_of(source, shape) < 0 ? 0 : 1), shape.end()}, source);
}

Array without_first_axis(Array array) {
  array.shape.erase(array.shape.begin());
  return array;
}

Index count_npy(const MeasureSource& source) {
  return count_stack(source, read_npy_shape(source.path, source.flag("stack")));  // names are made of so many items
}
Grid npy_grid(const MeasureSource& source) { return stackable_grid(source, read_npy_shape(source.path)); }
Array npy_array(const MeasureSource& source) {
  const Index item = item_of(source, read_npy_shape(source.path));
  return item < 0 ? read_npy(source.path) : without_first_axis(read_npy_items(source.path, {item, item + 1}));
}
Array npy_rows(const MeasureSource& source, Range rows) { return read_npy_items(source.path, rows); }
std::vector<Index> npy_shape(const MeasureSource& source) { return read_npy_shape(source.path, true); }
GridData read_npy_array(const MeasureSource& source) { return grid_data(npy_array(source), source); }

const std::string& dataset_of(const MeasureSource& source) {
  require(!source.dataset.empty(), source.text, "names no dataset", "write FILE.h5:/group/dataset");
  return source.dataset;
}

std::vector<Index> hdf5_shape(const MeasureSource& source) { return read_hdf5_shape(source.path, dataset_of(source)); }
Index count_hdf5(const MeasureSource& source) {
  dataset_of(source);
  return source.flag("stack") ? count_stack(source, hdf5_shape(source)) : 0;
}
Grid hdf5_grid(const MeasureSource& source) { return stackable_grid(source, hdf5_shape(source)); }
Array hdf5_array(const MeasureSource& source) {
  const std::string& dataset = dataset_of(source);
  const Index item = item_of(source, hdf5_shape(source));
  return item < 0 ? read_hdf5(source.path, dataset)
                  : without_first_axis(read_hdf5_items(source.path, dataset, {item, item + 1}));
}
Array hdf5_rows(const MeasureSource& source, Range rows) {
  return read_hdf5_items(source.path, dataset_of(source), rows);
}
GridData read_hdf5_array(const MeasureSource& source) { return grid_data(hdf5_array(source), source); }

const std::vector<Format>& formats() {
  static const std::vector<Format> table{
      {"NIfTI and Analyze volumes",
       {".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"},
       {"frame"},
       one_measure,
       read_volume,
       volume_grid,
       nullptr,
       nullptr,
       nullptr,
       nullptr},
      {"images",
       {".png", ".jpg", ".jpeg"},
       {"channel", "invert", "spacing", "pixels"},
       one_measure,
       read_picture,
       picture_grid,
       nullptr,
       nullptr,
       nullptr,
       nullptr,
       true},
      {"PGM images",
       {".pgm"},
       {"channel", "invert", "spacing"},
       one_measure,
       read_picture,
       picture_grid,
       nullptr,
       nullptr,
       nullptr,
       nullptr},
      {"IDX images",
       {".idx", ".idx.gz", "idx3-ubyte", "idx3-ubyte.gz"},
       {"label", "count", "item", "spacing"},
       count_idx,
       read_idx_image,
       idx_grid,
       nullptr,
       nullptr,
       nullptr,
       nullptr},
      {"tables",
       {".csv", ".csv.gz"},
       {"spacing"},
       one_measure,
       read_table,
       table_grid,
       table_array,
       nullptr,
       nullptr,
       nullptr},
      {"arrays",
       {".npy"},
       {"stack", "count", "item", "spacing"},
       count_npy,
       read_npy_array,
       npy_grid,
       npy_array,
       npy_rows,
       npy_shape,
       nullptr},
      {"HDF5 arrays",
       {".h5", ".hdf5"},
       {"stack", "count", "item", "spacing"},
       count_hdf5,
       read_hdf5_array,
       hdf5_grid,
       hdf5_array,
       hdf5_rows,
       hdf5_shape,
       nullptr},
      {"PLY points", {".ply", ".ply.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_ply},
      {"OBJ points", {".obj", ".obj.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_obj},
      {"XYZ points", {".xyz", ".xyz.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_xyz},
  };
  return table;
}

const Format& format_of(const MeasureSource& source) {
  std::string known;
  for (const Format& format : formats()) {
    for (const std::string& ending : format.endings) {
      if (has_ending(source.path, ending)) return format;
      known += (known.empty() ? "" : " ") + ending;
    }
  }
  throw InputError(error_text(source.text, {}, {}, "unknown extension", "known: " + known + ", and synthetic:FAMILY"));
}

bool is_cloud(const MeasureSource& source, const Format& format) {
  const std::string as = source.value("as", "");
  return format.cloud != nullptr || as == "points" || as == "voxels" || as == "colors";
}

void check_colors(const MeasureSource& source, const Format& format) {
  if (source.value("as", "") != "colors") {
    if (source.has("pixels")) source.reject("pixels", "it thins out colours", "add as=colors, or leave it out");
    return;
  }
  if (!format.colors) source.reject("as", format.name + " have no colours", "give a .png, .jpg or .jpeg");
  for (const char* key : {"channel", "invert", "spacing"}) {
    if (source.has(key)) source.reject(key, "colours are all three channels as they are", "leave it out");
  }
}

void check(const MeasureSource& source, const Format& format) {
  std::vector<std::string> known = format.qualifiers;
  known.emplace_back("as");
  if (format.table != nullptr) known.emplace_back("weights");
  source.allow(known, format.name);
  const std::string as = source.value("as", is_cloud(source, format) ? "points" : "grid");
  if (as != "points" && as != "voxels" && as != "colors" && as != "grid")
    source.reject("as", "not one of points, voxels, colors, grid", "take one of them, or leave it out");
  check_colors(source, format);
  if (as != "points" && format.cloud != nullptr) source.reject("as", "the file has no grid", "leave it out");
  if (source.has("weights") && as != "points")
    source.reject("weights", "a grid's values are its weights", "add as=points where rows are points");
  if (source.has("count") && source.has("item")) {
    source.reject("count", "item picks one already", "give one of the two");
  }
}

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
                                                       : synthetic_count(family);
    for (Index item = 0; item < count; ++item) texts.push_back(measure_source_text(source, {}, item));
    return;
  }
  for (const std::string& path : matching_files(source)) {
    MeasureSource one = source;
    one.path = path;
    const Format& format = format_of(one);
    check(one, format);
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
const Format& format_of_one(const MeasureSource& source) {
  const Format& format = format_of(source);
  check(source, format);
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

CloudData read_cloud(const MeasureSource& source, const Format& format) {
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
  if (source.path.empty()) return synthetic_grid(text.substr(synthetic_prefix.size()));
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
  const Format& format = format_of(source);
  check(source, format);
  return is_cloud(source, format);
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
  const Format& format = format_of_one(source);
  if (format.rows == nullptr || source.value("as", "") != "points" || source.flag("stack")) return {};
  const std::vector<Index> shape = format.shape(source);
  return shape.size() == 1 || shape.size() == 2 ? shape : std::vector<Index>{};
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
  if (source.path.empty()) {
    data = synthetic_measure(text.substr(synthetic_prefix.size()), source.integer("item", 0, highest_index));
  } else {
    data = format_of_one(source).read(source);
    set_spacing(source, data.grid);
  }
  data.name = text;
  return data;
}

}  // namespace hpot
