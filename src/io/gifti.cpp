#include "hpot/io/gifti.hpp"

#include "apart.hpp"
#include "byte_reader.hpp"
#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern "C" {  // the header does not say so itself
#include <gifti_io.h>
}

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

namespace hpot {
namespace {

constexpr Index most_values = Index{1} << 31;

struct FreeImage {
  void operator()(gifti_image* image) const { gifti_free_image(image); }
};
using Image = std::unique_ptr<gifti_image, FreeImage>;

/// The file without gzip, under a name that the library can open; removed with this.
class PlainFile {
 public:
  explicit PlainFile(const std::string& path) : name_(path) {
    ByteReader reader(path);
    most_bytes_ = reader.most_bytes();
    if (!has_ending(path, ".gz")) return;
    const std::string bytes = reader.rest();
    std::string pattern = (std::filesystem::temp_directory_path() / "hpot_gifti_XXXXXX").string();
    const int file = mkstemp(pattern.data());
    require(file >= 0, path, "cannot be unzipped: " + pattern + ": " + std::strerror(errno), "set TMPDIR");
    close(file);
    name_ = pattern;
    unzipped_ = true;
    most_bytes_ = bytes.size();
    std::ofstream stream(name_, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (stream.fail()) {
      unlink(name_.c_str());
      require(false, path, "cannot be unzipped: no room in " + name_, "set TMPDIR");
    }
  }
  ~PlainFile() {
    if (unzipped_) unlink(name_.c_str());
  }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }

 private:
  std::string name_;
  bool unzipped_ = false;
  std::uint64_t most_bytes_ = 0;
};

bool is_geometry(int intent) { return intent == NIFTI_INTENT_POINTSET || intent == NIFTI_INTENT_TRIANGLE; }

/// Bytes that this array's data take in a file at least.
Real least_bytes(const giiDataArray& array) {
  constexpr Real base64 = 4.0 / 3.0, deflate_ratio = 1032.0;
  const Real bytes = static_cast<Real>(array.nvals) * array.nbyper;
  if (array.encoding == GIFTI_ENCODING_ASCII) return static_cast<Real>(array.nvals);
  return array.encoding == GIFTI_ENCODING_B64GZ ? bytes / deflate_ratio : bytes * base64;
}

void check(const gifti_image& image, const PlainFile& file, const std::string& path) {
  Real bytes = 0.0;
  for (int a = 0; a < image.numDA; ++a) {
    require(image.darray != nullptr && image.darray[a] != nullptr, path, "damaged: an array is not there",
            "get the file anew");
    const giiDataArray& array = *image.darray[a];
    require(array.num_dim >= 1 && array.num_dim <= GIFTI_DARRAY_DIM_LEN && array.nvals > 0 &&
                array.nvals <= most_values && array.nbyper > 0,
            path, "damaged: an array has no size", "get the file anew");
    require(array.encoding != GIFTI_ENCODING_EXTBIN, path, "its values stand in another file",
            "convert it to one file, e.g. by gifti_tool -encoding BASE64GZIP");
    bytes += least_bytes(array);
  }
  require(bytes <= static_cast<Real>(file.most_bytes()), path, "it is too short for the values that it claims",
          "get the file anew");
}

/// The library writes of what it does not understand; the error that follows says it.
class StderrClosed {
 public:
  StderrClosed() : kept_(dup(STDERR_FILENO)) {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) close(nowhere);
  }
  ~StderrClosed() {
    if (kept_ >= 0) dup2(kept_, STDERR_FILENO);
    if (kept_ >= 0) close(kept_);
  }
  StderrClosed(const StderrClosed&) = delete;
  StderrClosed& operator=(const StderrClosed&) = delete;

 private:
  int kept_;
};

Image opened(const PlainFile& file, const std::string& path, bool with_data) {
  const StderrClosed quiet;
  gifti_set_verb(0);
  Image image(gifti_read_image(file.name().c_str(), with_data ? 1 : 0));
  require(image != nullptr && image->numDA > 0, path, "no GIfTI file, or a damaged one",
          "check what kind of file it is");
  return image;
}

template <class T>
void append(const giiDataArray& array, std::vector<Real>& values) {
  const T* const data = static_cast<const T*>(array.data);
  values.insert(values.end(), data, data + array.nvals);
}

std::vector<Real> values_of(const giiDataArray& array, const std::string& path) {
  std::vector<Real> values;
  require(array.data != nullptr, path, "damaged: an array has no values", "get the file anew");
  switch (array.datatype) {
    case NIFTI_TYPE_INT8:
      append<std::int8_t>(array, values);
      break;
    case NIFTI_TYPE_UINT8:
      append<std::uint8_t>(array, values);
      break;
    case NIFTI_TYPE_INT16:
      append<std::int16_t>(array, values);
      break;
    case NIFTI_TYPE_UINT16:
      append<std::uint16_t>(array, values);
      break;
    case NIFTI_TYPE_INT32:
      append<std::int32_t>(array, values);
      break;
    case NIFTI_TYPE_UINT32:
      append<std::uint32_t>(array, values);
      break;
    case NIFTI_TYPE_INT64:
      append<std::int64_t>(array, values);
      break;
    case NIFTI_TYPE_FLOAT32:
      append<float>(array, values);
      break;
    case NIFTI_TYPE_FLOAT64:
      append<double>(array, values);
      break;
    default:
      require(false, path, "values of type " + std::string(gifti_datatype2str(array.datatype)) + " are not read",
              "convert them to FLOAT32");
  }
  return values;
}

/// (n, 3), row by row.
std::vector<Real> triples_of(const giiDataArray& array, const std::string& what, const std::string& path) {
  require(array.num_dim == 2 && array.dims[1] == 3 && array.nvals == 3LL * array.dims[0], path,
          what + " are not three numbers each", "write the file again");
  const std::vector<Real> values = values_of(array, path);
  if (array.ind_ord != GIFTI_IND_ORD_COL_MAJOR) return values;
  std::vector<Real> rows(values.size());
  const std::size_t n = values.size() / 3;
  for (std::size_t v = 0; v < n; ++v) {
    for (std::size_t d = 0; d < 3; ++d) rows[3 * v + d] = values[d * n + v];
  }
  return rows;
}

const giiDataArray& array_of(const gifti_image& image, int intent, const std::string& what, const std::string& path) {
  for (int a = 0; a < image.numDA; ++a) {
    if (image.darray[a]->intent == intent) return *image.darray[a];
  }
  throw InputError(error_text(path, {}, {}, "it has no " + what, "give the surface's file, not a map's"));
}

}  // namespace

MeshData read_gifti_mesh(const std::string& path) {
  const PlainFile file(path);
  const Array numbers = read_apart(path, [&] {
    check(*opened(file, path, false), file, path);
    const Image image = opened(file, path, true);
    std::vector<Real> points = triples_of(array_of(*image, NIFTI_INTENT_POINTSET, "points", path), "points", path);
    const std::vector<Real> triangles =
        triples_of(array_of(*image, NIFTI_INTENT_TRIANGLE, "triangles", path), "triangles", path);
    const auto count = static_cast<Index>(points.size());
    points.insert(points.end(), triangles.begin(), triangles.end());
    return Array{{count}, std::move(points)};
  });
  MeshData mesh;
  mesh.name = path;
  const auto triangles = numbers.values.begin() + numbers.shape[0];
  mesh.coordinates.assign(numbers.values.begin(), triangles);
  for (auto v = triangles; v != numbers.values.end(); ++v) {
    require(*v >= -1e15 && *v <= 1e15, path, "a triangle's vertex is no number", "get the file anew");
    mesh.triangles.push_back(static_cast<Index>(*v));
  }
  return mesh;
}

std::vector<Real> read_gifti_map(const std::string& path, int frame) {
  const PlainFile file(path);
  std::vector<Real> values =
      read_apart(path, [&] {
        check(*opened(file, path, false), file, path);
        const Image image = opened(file, path, true);
        std::vector<const giiDataArray*> maps;
        for (int a = 0; a < image->numDA; ++a) {
          if (!is_geometry(image->darray[a]->intent)) maps.push_back(image->darray[a]);
        }
        const auto count = static_cast<int>(maps.size());
        require(count > 0, path, "a surface without a map", "name it in input.mesh");
        require(frame >= 0 || count == 1, path, "holds " + std::to_string(count) + " maps",
                "choose one: ?frame=0 to ?frame=" + std::to_string(count - 1));
        require(frame < count, path + ": frame = " + std::to_string(frame), "there are " + std::to_string(count),
                "frames count from 0");
        const giiDataArray& map = *maps[std::max(frame, 0)];
        require(map.nvals == map.dims[0], path, "several values a vertex", "write one array for each");
        return Array{{map.dims[0]}, values_of(map, path)};
      }).values;
  reject_infinite(values, path);
  return values;
}

void write_gifti_map(const std::string& path, const std::vector<Real>& values) {
  gifti_set_verb(0);
  const int size = static_cast<int>(values.size());
  const Image image(gifti_create_image(1, NIFTI_INTENT_NONE, NIFTI_TYPE_FLOAT32, 1, &size, 1));
  require(image != nullptr, path, "giftiio made no map of " + std::to_string(size) + " vertices");
  giiDataArray& array = *image->darray[0];
  array.encoding = GIFTI_ENCODING_B64GZ;
  array.endian = gifti_get_this_endian();
  array.ind_ord = GIFTI_IND_ORD_ROW_MAJOR;
  auto* const data = static_cast<float*>(array.data);
  for (std::size_t v = 0; v < values.size(); ++v) data[v] = static_cast<float>(values[v]);
  TemporaryFile temporary(path, ".gii");
  if (gifti_write_image(image.get(), temporary.name().c_str(), 1) != 0) temporary.fail("giftiio could not write it");
  temporary.commit();
}

}  // namespace hpot
