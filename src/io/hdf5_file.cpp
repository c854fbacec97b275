#include "hpot/io/hdf5_file.hpp"

#include "apart.hpp"
#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace hpot {
namespace {

/// HDF5 prints its error stack by default; here the innermost entry goes into an InputError instead.
class QuietErrors {
 public:
  QuietErrors() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

extern "C" herr_t take_innermost(unsigned, const H5E_error2_t* error, void* text) {
  *static_cast<std::string*>(text) = error->desc == nullptr ? "" : error->desc;
  return 1;  // stop the walk
}

std::string hdf5_reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, &text);
  // Of a failed system call HDF5 tells time, addresses and sizes; the system's own words are enough.
  constexpr std::string_view key = "error message = '";
  if (const auto begin = text.find(key); begin != std::string::npos) {
    text.erase(0, begin + key.size());
    text.erase(std::min(text.find('\''), text.size()));
  }
  return text.empty() ? "HDF5 gave no reason" : text;
}

[[noreturn]] void fail(const std::string& where, const std::string& what, const std::string& to_do = {}) {
  throw InputError(error_text(where, {}, {}, what + ": " + hdf5_reason(), to_do));
}

/// An identifier and the function that releases it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() { reset(); }
  /// What the release returned; 0 for an empty handle.
  herr_t reset() { return id_ >= 0 ? close_(std::exchange(id_, -1)) : 0; }
  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool valid() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// Serial access; formats since HDF5 1.8 (large attributes); no lock where the file system has none.
Handle access_list() {
  Handle list(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_sec2(list.id());
  H5Pset_libver_bounds(list.id(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_alignment(list.id(), 1, 4096);  // what rank 0 writes shares no page with what other ranks do
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(list.id(), true, true);
#endif
  return list;
}

Handle open_file(const std::string& path) {
  std::error_code status;
  require(std::filesystem::exists(path, status), path, "there is no such file", "check the path");
  require(!std::filesystem::is_directory(path, status), path, "this is a folder", "name an HDF5 file in it");
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access_list().id()), H5Fclose);
  if (!file.valid()) fail(path, "cannot be read as HDF5", "check that it is an HDF5 file and was copied completely");
  return file;
}

extern "C" herr_t add_dataset_name(hid_t group, const char* name, const H5L_info_t*, void* names) {
  const Handle object(H5Oopen(group, name, H5P_DEFAULT), H5Oclose);
  if (object.valid() && H5Iget_type(object.id()) == H5I_DATASET) {
    static_cast<std::vector<std::string>*>(names)->push_back(std::string("/") + name);
  }
  return 0;
}

std::string list_datasets(const Handle& file) {
  std::vector<std::string> names;
  H5Lvisit(file.id(), H5_INDEX_NAME, H5_ITER_INC, add_dataset_name, &names);
  if (names.empty()) return "the file holds no dataset";
  constexpr std::size_t shown = 20;
  std::string text = "datasets there: ";
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) text += ", and " + std::to_string(names.size() - shown) + " more";
  return text;
}

enum class Values { numbers, texts };

/// An open dataset whose shape was checked against what the file can hold.
struct OpenDataset {
  Handle file;
  Handle dataset;
  std::vector<Index> shape;
  std::size_t points = 1;
};

/// What a dataset may claim: contiguous values are stored as they are, in chunked ones deflate shrinks at most about 1030
/// to 1 and chunks that were never written read as a fill value, so that small ones get the doubt. Values that lie in
/// other files (virtual and external ones) can be as many as this machine's memory holds.
void check_claim(const OpenDataset& open, const std::string& where, double points, std::size_t point_bytes) {
  const double raw_bytes = points * static_cast<double>(point_bytes);
  const double memory_bytes = points * static_cast<double>(std::max(sizeof(Real), point_bytes));
  const Handle creation(H5Dget_create_plist(open.dataset.id()), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  const hsize_t stored = H5Dget_storage_size(open.dataset.id());
  hsize_t file_size = 0;
  H5Fget_filesize(open.file.id(), &file_size);
  constexpr double doubt = 1 << 28;
  constexpr double largest_ratio = 1100;
  const bool external = H5Pget_external_count(creation.id()) > 0;
  bool plausible = memory_bytes <= doubt || raw_bytes <= largest_ratio * static_cast<double>(file_size);
  if (layout == H5D_VIRTUAL || external) {
    plausible =
        memory_bytes <= static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  } else if (layout == H5D_CONTIGUOUS) {
    plausible = std::min(static_cast<double>(stored), static_cast<double>(file_size)) >= raw_bytes;
  }
  if (plausible) return;
  std::ostringstream why;  // a claim may be past any integer
  why << "its shape claims " << raw_bytes << " bytes of values, the file stores " << stored;
  throw InputError(error_text(where, {}, {}, why.str(), "was it cut short, or never written? Copy or write it again"));
}

/// Texts are of one length: in damaged heaps of texts of any length libhdf5 1.10 crashes, or goes round for ever.
void check_type(hid_t type, Values values, const std::string& where) {
  const H5T_class_t is = H5Tget_class(type);
  if (values == Values::texts) {
    require(is == H5T_STRING && H5Tis_variable_str(type) == 0, where, "its values are not texts of one length");
  } else {
    require(is == H5T_INTEGER || is == H5T_FLOAT || is == H5T_ENUM, where, "its values are not numbers",
            "integers, floats and booleans can be read");
  }
}

OpenDataset open_dataset(const std::string& path, const std::string& name, Values values = Values::numbers) {
  OpenDataset open;
  open.file = open_file(path);
  const std::string where = path + ":" + name;
  const Handle object(name.empty() ? -1 : H5Oopen(open.file.id(), name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.valid() || H5Iget_type(object.id()) != H5I_DATASET) {  // the list visits the whole file
    throw InputError(error_text(where, {}, {},
                                object.valid() ? "this is a group, not a dataset" : "the file has no such dataset",
                                list_datasets(open.file)));
  }
  open.dataset = Handle(H5Dopen2(open.file.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!open.dataset.valid()) fail(where, "cannot be opened");

  const Handle type(H5Dget_type(open.dataset.id()), H5Tclose);
  check_type(type.id(), values, where);

  const Handle space(H5Dget_space(open.dataset.id()), H5Sclose);
  require(H5Sget_simple_extent_type(space.id()) != H5S_NULL, where, "the dataset is empty");
  const int rank = H5Sget_simple_extent_ndims(space.id());
  require(rank >= 0 && rank <= 4, where, "it has " + std::to_string(rank) + " dimensions",
          "datasets of up to 4 dimensions can be read");
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  if (rank > 0) H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr);
  open.shape.assign(extent.begin(), extent.end());

  double points = 1;  // as double: the product may be past any integer
  for (const hsize_t n : extent) points *= static_cast<double>(n);
  check_claim(open, where, points, H5Tget_size(type.id()));
  for (const hsize_t n : extent) open.points *= n;
  return open;
}

Handle string_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

Handle bool_type() {
  Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
  for (const std::int8_t value : {0, 1}) H5Tenum_insert(type.id(), value == 0 ? "FALSE" : "TRUE", &value);
  return type;
}

/// Compound of a HistoryEntry: in memory with its padding, in the file packed and little-endian.
Handle history_type(bool in_memory) {
  using H = HistoryEntry;
  Handle type(H5Tcreate(H5T_COMPOUND, in_memory ? sizeof(H) : 40), H5Tclose);
  const auto add = [&](const char* name, std::size_t memory_offset, std::size_t file_offset, hid_t native,
                       hid_t stored) {
    H5Tinsert(type.id(), name, in_memory ? memory_offset : file_offset, in_memory ? native : stored);
  };
  add("iteration", offsetof(H, iteration), 0, H5T_NATIVE_INT64, H5T_STD_I64LE);
  add("level", offsetof(H, level), 8, H5T_NATIVE_INT32, H5T_STD_I32LE);
  add("epsilon", offsetof(H, epsilon), 12, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE);
  add("marginal_error", offsetof(H, marginal_error), 20, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE);
  add("seconds", offsetof(H, seconds), 28, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE);
  add("row", offsetof(H, row), 36, H5T_NATIVE_INT32, H5T_STD_I32LE);
  return type;
}

Handle simple_space(const std::vector<hsize_t>& extent) {
  return extent.empty() ? Handle(H5Screate(H5S_SCALAR), H5Sclose)
                        : Handle(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
}

/// libhdf5 crashes at some damaged files (1.10.8: at one in some ten thousand that a fuzzer damages). What it sets up for
/// itself is set up before, once.
Array read_in_child(const std::string& path, const std::function<Array()>& work) {
  H5open();
  return read_apart(path, work);
}

constexpr char for_dataset = 'd';  // first letters of requests
constexpr char for_texts = 't';
constexpr char for_place = 'p';

/// The entries from `start`, so many along every axis; no more than `at_once` in one call of the library.
void read_values(const OpenDataset& open, std::vector<hsize_t> start, std::vector<hsize_t> count, hsize_t at_once,
                 const std::string& where, Real* values) {
  hsize_t all = 1;
  for (const hsize_t n : count) all *= n;
  if (all == 0) return;
  if (all > at_once) {  // slices of the first axis that has several entries, each in one piece of `values`
    const std::size_t axis = std::find_if(count.begin(), count.end(), [](hsize_t n) { return n > 1; }) - count.begin();
    const hsize_t slice = all / count[axis];
    const hsize_t slices = std::max<hsize_t>(1, at_once / slice);
    const hsize_t end = start[axis] + count[axis];
    for (; start[axis] < end; start[axis] += slices) {
      count[axis] = std::min(slices, end - start[axis]);
      read_values(open, start, count, at_once, where, values);
      values += count[axis] * slice;
    }
    return;
  }
  const Handle selection(H5Dget_space(open.dataset.id()), H5Sclose);
  if (!count.empty()) H5Sselect_hyperslab(selection.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  if (H5Dread(open.dataset.id(), H5T_NATIVE_DOUBLE, simple_space(count).id(), selection.id(), H5P_DEFAULT, values) < 0)
    fail(where, "cannot be read", "was the file cut short, or does it need a compression plug-in?");
}

std::vector<std::string> read_texts(const std::string& path, const std::string& name) {
  const QuietErrors quiet;
  const OpenDataset open = open_dataset(path, name, Values::texts);
  const Handle type(H5Dget_type(open.dataset.id()), H5Tclose);
  const std::size_t size = H5Tget_size(type.id());
  std::vector<char> bytes(open.points * size);
  if (!bytes.empty() && H5Dread(open.dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0)
    fail(path + ":" + name, "cannot be read", "was the file cut short?");
  std::vector<std::string> texts;
  for (auto at = bytes.cbegin(); at != bytes.cend(); at += static_cast<std::ptrdiff_t>(size))
    texts.emplace_back(at, std::find(at, at + static_cast<std::ptrdiff_t>(size), '\0'));
  return texts;
}

Array read_dataset(const std::string& path, const std::string& dataset) {
  const QuietErrors quiet;
  const OpenDataset open = open_dataset(path, dataset);
  Array array{open.shape, std::vector<Real>(open.points)};
  read_values(open, std::vector<hsize_t>(open.shape.size(), 0), {open.shape.begin(), open.shape.end()},
              values_of_a_read, path + ":" + dataset, array.values.data());
  return array;
}

/// Where its values begin in the file, in bytes; 0 where they do not lie in one piece.
Array read_place(const std::string& path, const std::string& dataset) {
  const QuietErrors quiet;
  const haddr_t place = H5Dget_offset(open_dataset(path, dataset).dataset.id());
  return {{1}, {place == HADDR_UNDEF ? 0.0 : static_cast<Real>(place)}};
}

}  // namespace

Array read_hdf5(const std::string& path, const std::string& dataset) { return Hdf5Reader(path).dataset(dataset); }

Array read_hdf5_items(const std::string& path, const std::string& dataset, Range items) {
  return read_hdf5_part(path, dataset, {items});
}

Array read_hdf5_part(const std::string& path, const std::string& dataset, const std::vector<Range>& part,
                     Index at_once) {
  return read_in_child(path, [&] {
    const QuietErrors quiet;
    const OpenDataset open = open_dataset(path, dataset);
    Array array{open.shape, {}};
    std::vector<hsize_t> start(open.shape.size(), 0);
    std::vector<hsize_t> count(open.shape.begin(), open.shape.end());
    for (std::size_t d = 0; d < part.size(); ++d) {
      if (d >= open.shape.size() || part[d].begin < 0 || part[d].end > open.shape[d])
        throw std::logic_error("read_hdf5_part: axis " + std::to_string(d) + " has no entries " +
                               std::to_string(part[d].begin) + " to " + std::to_string(part[d].end - 1));
      array.shape[d] = part[d].size();
      start[d] = static_cast<hsize_t>(part[d].begin);
      count[d] = static_cast<hsize_t>(part[d].size());
    }
    std::size_t values = 1;
    for (const Index n : array.shape) values *= static_cast<std::size_t>(n);
    array.values.resize(values);
    read_values(open, start, count, static_cast<hsize_t>(at_once), path + ":" + dataset, array.values.data());
    return array;
  });
}

std::vector<Index> read_hdf5_shape(const std::string& path, const std::string& dataset) {
  const auto shape_only = [&] {
    const QuietErrors quiet;
    return Array{open_dataset(path, dataset).shape, {}};
  };
  return read_in_child(path, shape_only).shape;
}

Hdf5Reader::Hdf5Reader(std::string path) {
  H5open();
  apart_ = std::make_unique<Apart>(path, [path](const std::string& request) -> Answer {
    const std::string name = request.substr(1);
    if (request[0] == for_texts) return {{}, read_texts(path, name)};
    return {request[0] == for_place ? read_place(path, name) : read_dataset(path, name), {}};
  });
}

Hdf5Reader::~Hdf5Reader() = default;
Hdf5Reader::Hdf5Reader(Hdf5Reader&&) noexcept = default;
Hdf5Reader& Hdf5Reader::operator=(Hdf5Reader&&) noexcept = default;

Array Hdf5Reader::dataset(const std::string& name) { return (*apart_)(for_dataset + name).array; }

Index Hdf5Reader::place(const std::string& name) {
  return static_cast<Index>((*apart_)(for_place + name).array.values.at(0));
}

std::vector<std::string> Hdf5Reader::texts(const std::string& name) { return (*apart_)(for_texts + name).texts; }

class Hdf5Writer::File {
 public:
  explicit File(const std::string& path) : path_(path), temporary_(path) {
    namespace fs = std::filesystem;
    std::error_code status;
    const fs::path folder = fs::path(path).parent_path();
    require(folder.empty() || fs::is_directory(folder, status), path, "there is no folder " + folder.string(),
            "make it, or name another file");
    require(!fs::is_directory(path, status), path, "this is a folder", "name a file in it");
    file_ = Handle(H5Fcreate(temporary_.name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access_list().id()), H5Fclose);
    if (!file_.valid()) fail(path_, "cannot be created", "check the folder's permissions and free space");
  }

  ~File() {
    const QuietErrors quiet;
    if (file_.valid()) abandon();
    file_.reset();
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] const std::string& temporary() const { return temporary_.name(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  void write_attribute(const std::string& object_path, const std::string& name, hid_t type, hid_t memory_type,
                       const std::vector<hsize_t>& extent, const void* data) {
    const Handle object = open_object(object_path);
    if (H5Aexists(object.id(), name.c_str()) > 0) H5Adelete(object.id(), name.c_str());
    const Handle space = simple_space(extent);
    const Handle attribute(H5Acreate2(object.id(), name.c_str(), type, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    const bool empty = !extent.empty() && extent[0] == 0;
    if (!attribute.valid() || (!empty && H5Awrite(attribute.id(), memory_type, data) < 0)) {
      give_up("attribute " + name + " of " + object_path + " cannot be written", hdf5_reason());
    }
  }

  void write_dataset(const std::string& name, hid_t type, hid_t memory_type, const std::vector<hsize_t>& extent,
                     const void* data) {
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.id(), 1);
    const Handle space = simple_space(extent);
    Handle dataset(H5Dcreate2(id(), name.c_str(), type, space.id(), links.id(), H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
    const bool empty = std::find(extent.begin(), extent.end(), hsize_t{0}) != extent.end();
    if (!dataset.valid() || (!empty && H5Dwrite(dataset.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) ||
        dataset.reset() < 0) {
      give_up("dataset " + name + " cannot be written", hdf5_reason());
    }
  }

  Index make_room(const std::string& name, const std::vector<hsize_t>& extent) {
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.id(), 1);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER);
    const Handle space = simple_space(extent);
    Handle dataset(H5Dcreate2(id(), name.c_str(), H5T_IEEE_F64LE, space.id(), links.id(), creation.id(), H5P_DEFAULT),
                   H5Dclose);
    const haddr_t place = dataset.valid() ? H5Dget_offset(dataset.id()) : HADDR_UNDEF;
    if (!dataset.valid() || dataset.reset() < 0) give_up("dataset " + name + " cannot be made", hdf5_reason());
    const bool empty = std::find(extent.begin(), extent.end(), hsize_t{0}) != extent.end();
    if (place == HADDR_UNDEF && !empty) give_up("dataset " + name + " has no place", hdf5_reason());
    return empty ? 0 : static_cast<Index>(place);
  }

  void make_chunked(const std::string& name, hid_t type, const std::vector<hsize_t>& extent) {
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.id(), 1);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (std::find(extent.begin(), extent.end(), hsize_t{0}) == extent.end()) {
      std::vector<hsize_t> chunk(extent.size(), 1);  // of the last axis, of images and volumes of the last two
      chunk.back() = std::min(extent.back(), longest_chunk);
      if (const std::size_t d = extent.size() - 1; d >= 2) chunk[d - 1] = std::min(extent[d - 1], highest_chunk);
      H5Pset_chunk(creation.id(), static_cast<int>(chunk.size()), chunk.data());
      H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER);
      if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
        H5Pset_shuffle(creation.id());
        H5Pset_deflate(creation.id(), 1);
      }
    }
    const Handle space = simple_space(extent);
    Handle dataset(H5Dcreate2(id(), name.c_str(), type, space.id(), links.id(), creation.id(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid() || dataset.reset() < 0) give_up("dataset " + name + " cannot be made", hdf5_reason());
  }

  void write_part(const std::string& name, hid_t memory_type, Index first, std::size_t values, const void* data) {
    if (values == 0) return;
    Handle dataset(H5Dopen2(id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    const Handle space(dataset.valid() ? H5Dget_space(dataset.id()) : -1, H5Sclose);
    if (!space.valid()) give_up("dataset " + name + " is not there", hdf5_reason());
    std::vector<hsize_t> count(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space.id())));
    H5Sget_simple_extent_dims(space.id(), count.data(), nullptr);
    count[0] = values;
    for (std::size_t d = 1; d < count.size(); ++d) count[0] /= count[d];
    std::vector<hsize_t> start(count.size(), 0);
    start[0] = static_cast<hsize_t>(first);
    H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
    const Handle memory = simple_space(count);
    if (H5Dwrite(dataset.id(), memory_type, memory.id(), space.id(), H5P_DEFAULT, data) < 0 || dataset.reset() < 0) {
      give_up("dataset " + name + " cannot be written", hdf5_reason());
    }
  }

  void close() {
    if (!file_.valid()) return;
    require(!abandoned_, path_, "an earlier write to it failed", space_hint);
    reserve();
    if (H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) < 0) give_up("cannot be completed", hdf5_reason());
    // A network file system may tell of a full disk only now.
    if (const int* file = descriptor(); file != nullptr && fsync(*file) != 0 && errno != EINVAL) {
      give_up("cannot be completed", std::strerror(errno));
    }
    if (file_.reset() < 0) fail(path_, "cannot be completed", space_hint);
    temporary_.commit();
  }

 private:
  static constexpr hsize_t longest_chunk = 1 << 15;
  static constexpr hsize_t highest_chunk = 1 << 12;
  static constexpr const char* space_hint = "check the free space and the quota of its folder";

  [[nodiscard]] const int* descriptor() const {
    void* descriptor = nullptr;
    H5Fget_vfd_handle(file_.id(), H5P_DEFAULT, &descriptor);
    return static_cast<const int*>(descriptor);
  }

  /// A flush or close that cannot write leaves HDF5 (1.10) broken: it crashes when the library ends, in MPI_Finalize.
  /// So the space for what is still in its cache is asked for first, where the file system can do that.
  void reserve() {
    hsize_t size = 0;
    const int* file = descriptor();
    if (file == nullptr || H5Fget_filesize(file_.id(), &size) < 0) return;
    if (fallocate(*file, 0, 0, static_cast<off_t>(size)) == 0) return;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) {
      give_up("cannot be completed", std::strerror(errno));
    }
  }

  /// What HDF5 still wants to write goes to memory instead of the disk, which may be full; it is little, and thrown away.
  void abandon() {
    abandoned_ = true;
    const int* file = descriptor();
    const int memory = memfd_create("hpot abandoned file", 0);
    if (file != nullptr && memory >= 0) dup2(memory, *file);
    if (memory >= 0) ::close(memory);
  }

  [[noreturn]] void give_up(const std::string& what, const std::string& reason) {
    abandon();
    throw InputError(error_text(path_, {}, {}, what + ": " + reason, space_hint));
  }

  [[nodiscard]] hid_t id() const {
    if (!file_.valid()) throw std::logic_error("Hdf5Writer: used after close()");
    return file_.id();
  }

  Handle open_object(const std::string& object) {
    Handle there(H5Oopen(id(), object.c_str(), H5P_DEFAULT), H5Oclose);
    if (there.valid()) return there;
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links.id(), 1);
    Handle group(H5Gcreate2(id(), object.c_str(), links.id(), H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    if (!group.valid()) give_up("group " + object + " cannot be made", hdf5_reason());
    return group;
  }

  std::string path_;
  TemporaryFile temporary_;
  Handle file_;
  bool abandoned_ = false;
};

Hdf5Writer::Hdf5Writer(const std::string& path) {
  const QuietErrors quiet;
  file_ = std::make_unique<File>(path);
}

Hdf5Writer::~Hdf5Writer() = default;

void Hdf5Writer::attribute(const std::string& object, const std::string& name, const std::string& value) {
  const QuietErrors quiet;
  const char* text = value.c_str();
  const Handle type = string_type();
  file_->write_attribute(object, name, type.id(), type.id(), {}, &text);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, Real value) {
  const QuietErrors quiet;
  file_->write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {}, &value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, Index value) {
  const QuietErrors quiet;
  file_->write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, {}, &value);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, bool value) {
  const QuietErrors quiet;
  const std::int8_t number = value ? 1 : 0;
  const Handle type = bool_type();
  file_->write_attribute(object, name, type.id(), type.id(), {}, &number);
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, const std::vector<Real>& values) {
  const QuietErrors quiet;
  file_->write_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {values.size()}, values.data());
}

void Hdf5Writer::attribute(const std::string& object, const std::string& name, const std::vector<std::string>& values) {
  const QuietErrors quiet;
  std::vector<const char*> texts;
  for (const std::string& value : values) texts.push_back(value.c_str());
  const Handle type = string_type();
  file_->write_attribute(object, name, type.id(), type.id(), {values.size()}, texts.data());
}

void Hdf5Writer::dataset(const std::string& name, const Array& array) {
  const QuietErrors quiet;
  std::size_t points = 1;
  for (const Index n : array.shape) points *= static_cast<std::size_t>(n);
  if (points != array.values.size())
    throw std::logic_error("Hdf5Writer::dataset: shape and values of " + name + " differ");
  file_->write_dataset(name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, {array.shape.begin(), array.shape.end()},
                       array.values.data());
}

void Hdf5Writer::integers(const std::string& name, const std::vector<Index>& shape) {
  const QuietErrors quiet;
  file_->make_chunked(name, H5T_STD_I64LE, {shape.begin(), shape.end()});
}

void Hdf5Writer::reals(const std::string& name, const std::vector<Index>& shape) {
  const QuietErrors quiet;
  file_->make_chunked(name, H5T_IEEE_F64LE, {shape.begin(), shape.end()});
}

void Hdf5Writer::part(const std::string& name, Index first, const std::vector<Index>& values) {
  const QuietErrors quiet;
  file_->write_part(name, H5T_NATIVE_INT64, first, values.size(), values.data());
}

void Hdf5Writer::part(const std::string& name, Index first, const std::vector<Real>& values) {
  const QuietErrors quiet;
  file_->write_part(name, H5T_NATIVE_DOUBLE, first, values.size(), values.data());
}

Index Hdf5Writer::room(const std::string& name, const std::vector<Index>& shape) {
  const QuietErrors quiet;
  return file_->make_room(name, {shape.begin(), shape.end()});
}

const std::string& Hdf5Writer::temporary() const { return file_->temporary(); }
const std::string& Hdf5Writer::path() const { return file_->path(); }

void Hdf5Writer::texts(const std::string& name, const std::vector<std::string>& values) {
  const QuietErrors quiet;
  std::size_t size = 1;
  for (const std::string& value : values) size = std::max(size, value.size());
  std::vector<char> bytes(values.size() * size, '\0');
  for (std::size_t n = 0; n < values.size(); ++n)
    std::copy(values[n].begin(), values[n].end(), bytes.begin() + static_cast<std::ptrdiff_t>(n * size));
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), size);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  file_->write_dataset(name, type.id(), type.id(), {values.size()}, bytes.data());
}

void Hdf5Writer::dataset(const std::string& name, const History& history) {
  const QuietErrors quiet;
  const Handle type = history_type(false);
  const Handle memory_type = history_type(true);
  file_->write_dataset(name, type.id(), memory_type.id(), {history.size()}, history.data());
}

void Hdf5Writer::close() {
  const QuietErrors quiet;
  file_->close();
}

}  // namespace hpot
