#include "measure_formats.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/csv.hpp"
#include "hpot/io/freesurfer.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/idx.hpp"
#include "hpot/io/image.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/io/npy.hpp"
#include "hpot/measure/rows.hpp"

#include <algorithm>
#include <utility>

namespace hpot {
namespace {

Index one_measure(const MeasureSource&) { return 0; }

GridData read_volume(const MeasureSource& source) {
  return read_nifti(source.path, static_cast<int>(source.integer("frame", -1, highest_index - 1)));
}

std::vector<Real> volume_planes(const MeasureSource& source, const Grid&, Range planes) {
  return read_nifti_planes(source.path, static_cast<int>(source.integer("frame", -1, highest_index - 1)), planes)
      .values;
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

Index count_table(const MeasureSource& source) {
  return source.flag("stack") ? count_stack(source, read_csv(source.path).shape) : 0;
}
/// Of a stack one row, for which the file is read up to its end.
Array table_array(const MeasureSource& source) {
  Array table = read_csv(source.path);
  const Index item = item_of(source, table.shape);
  if (item < 0) return table;
  const Index columns = table.shape[1];
  const auto first = table.values.begin() + item * columns;
  return {{columns}, {first, first + columns}};
}
GridData read_table(const MeasureSource& source) { return grid_data(table_array(source), source); }
Grid table_grid(const MeasureSource& source) { return read_table(source).grid; }

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
std::vector<Real> npy_planes(const MeasureSource& source, const Grid& grid, Range planes) {
  const Index first = std::max<Index>(0, item_of(source, read_npy_shape(source.path))) * grid.points();
  return read_npy_values(source.path,
                         {first + planes.begin * plane_points(grid), first + planes.end * plane_points(grid)});
}
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
/// The grid's slowest axis is the array's first that has more than one entry, the item's apart.
std::vector<Real> hdf5_planes(const MeasureSource& source, const Grid&, Range planes) {
  const std::vector<Index> shape = hdf5_shape(source);
  const Index item = item_of(source, shape);
  std::vector<Range> part;
  if (item >= 0) part.push_back({item, item + 1});
  while (part.size() + 1 < shape.size() && shape[part.size()] == 1) part.push_back({0, 1});
  if (part.size() < shape.size()) part.push_back(planes);
  return read_hdf5_part(source.path, dataset_of(source), part).values;
}
GridData read_hdf5_array(const MeasureSource& source) { return grid_data(hdf5_array(source), source); }

GridData map_data(std::vector<Real> values) {
  GridData data;
  data.grid = make_grid({static_cast<Index>(values.size())}, {1.0});
  data.values = std::move(values);
  return data;
}

GridData read_gifti(const MeasureSource& source) {
  return map_data(read_gifti_map(source.path, static_cast<int>(source.integer("frame", -1, highest_index - 1))));
}
GridData read_freesurfer(const MeasureSource& source) { return map_data(read_freesurfer_map(source.path)); }

template <GridData (*read)(const MeasureSource&)>
MeasureFormat format_of_maps(const char* name, std::vector<std::string> endings, std::vector<std::string> qualifiers) {
  MeasureFormat format{};
  format.name = name;
  format.endings = std::move(endings);
  format.qualifiers = std::move(qualifiers);
  format.count = one_measure;
  format.read = read;
  format.grid = [](const MeasureSource& source) { return read(source).grid; };
  format.on_surface = true;
  return format;
}

const std::vector<MeasureFormat>& formats() {
  static const std::vector<MeasureFormat> table{
      {"NIfTI and Analyze volumes",
       {".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"},
       {"frame"},
       one_measure,
       read_volume,
       volume_grid,
       nullptr,
       nullptr,
       nullptr,
       nullptr,
       false,
       volume_planes},
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
       {"stack", "count", "item", "spacing"},
       count_table,
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
       nullptr,
       false,
       npy_planes},
      {"HDF5 arrays",
       {".h5", ".hdf5"},
       {"stack", "count", "item", "spacing"},
       count_hdf5,
       read_hdf5_array,
       hdf5_grid,
       hdf5_array,
       hdf5_rows,
       hdf5_shape,
       nullptr,
       false,
       hdf5_planes},
      format_of_maps<read_gifti>("GIfTI maps", {".gii", ".gii.gz"}, {"frame"}),
      format_of_maps<read_freesurfer>("FreeSurfer maps", {}, {}),
      {"PLY points", {".ply", ".ply.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_ply},
      {"OBJ points", {".obj", ".obj.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_obj},
      {"XYZ points", {".xyz", ".xyz.gz"}, {}, one_measure, nullptr, nullptr, nullptr, nullptr, nullptr, read_xyz},
  };
  return table;
}

void check_colors(const MeasureSource& source, const MeasureFormat& format) {
  if (source.value("as", "") != "colors") {
    if (source.has("pixels")) source.reject("pixels", "it thins out colours", "add as=colors, or leave it out");
    return;
  }
  if (!format.colors) source.reject("as", format.name + " have no colours", "give a .png, .jpg or .jpeg");
  for (const char* key : {"channel", "invert", "spacing"}) {
    if (source.has(key)) source.reject(key, "colours are all three channels as they are", "leave it out");
  }
}

}  // namespace

const MeasureFormat& measure_format_of(const MeasureSource& source) {
  std::string known;
  for (const MeasureFormat& format : formats()) {
    for (const std::string& ending : format.endings) {
      if (has_ending(source.path, ending)) return format;
      known += (known.empty() ? "" : " ") + ending;
    }
  }
  const auto freesurfer = std::find_if(formats().begin(), formats().end(),
                                       [](const MeasureFormat& format) { return format.endings.empty(); });
  if (freesurfer_kind(source.path) == FreeSurferKind::map) return *freesurfer;
  throw InputError(error_text(source.text, {}, {}, "unknown extension",
                              "known: " + known + ", FreeSurfer's maps, and synthetic:FAMILY"));
}

bool gives_cloud(const MeasureSource& source, const MeasureFormat& format) {
  const std::string as = source.value("as", "");
  return format.cloud != nullptr || as == "points" || as == "voxels" || as == "colors";
}

void check_qualifiers(const MeasureSource& source, const MeasureFormat& format) {
  std::vector<std::string> known = format.qualifiers;
  known.emplace_back("as");
  if (format.table != nullptr) known.emplace_back("weights");
  if (format.on_surface) known.emplace_back("and");
  source.allow(known, format.name);
  const std::string as = source.value("as", gives_cloud(source, format) ? "points" : "grid");
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

}  // namespace hpot
