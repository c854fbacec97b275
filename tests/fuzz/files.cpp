// Readers of files: the input becomes a file of the right name, which is read in every way that its format has.
#include "fuzz.hpp"

#include "io/apart.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/io/mesh_file.hpp"
#include "hpot/measure/measure.hpp"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace hpot::fuzz {
namespace {

/// What readers and make_measure promise of every measure.
void check_promises(const MeasureData& data) {
  expect(static_cast<Index>(data.values.size()) == data.support.points(), "there is one value for each point");
  if (const Grid* grid = data.support.grid(); grid != nullptr) {
    expect(grid->dimension() >= 1 && grid->dimension() <= 3, "a grid has one to three axes");
    for (const Axis& axis : grid->axes) expect(std::isfinite(axis.spacing) && axis.spacing > 0, "spacing is positive");
  } else {
    const PointCloud& cloud = *data.support.cloud();
    expect(cloud.points() > 0 && cloud.dimension > 0, "a cloud has points");
    for (const Real x : *cloud.coordinates) expect(std::isfinite(x), "coordinates are finite");
  }
  expect(std::none_of(data.values.begin(), data.values.end(), [](Real value) { return std::isinf(value); }),
         "values are finite or NaN");
  for (const bool normalize : {true, false}) {
    succeeds([&] {
      for (const Real weight : make_measure(data, NegativeValues::clip, normalize).weights) {
        expect(std::isfinite(weight) && weight >= 0, "weights are finite and not negative");
      }
    });
  }
}

/// What make_mesh promises of every surface.
void check_surface(const Mesh& mesh) {
  expect(mesh.points() > 0 && mesh.faces() > 0 && mesh.components > 0, "a surface has triangles");
  for (const Real area : *mesh.areas) expect(std::isfinite(area) && area > 0, "areas are positive");
  for (const Index v : *mesh.triangles) expect(v >= 0 && v < mesh.points(), "vertices of triangles are there");
}

using Values = std::vector<std::vector<Real>>;

/// The values that `path` gives with each of the qualifiers, none where that is an InputError.
Values read_all(const std::string& path, const std::vector<std::string>& qualifiers) {
  Values values;
  for (const std::string& qualifier : qualifiers) {
    values.emplace_back();
    succeeds([&] {
      const std::string text = expand_measures(path + qualifier).front();
      const MeasureData data = read_measure(text);
      check_promises(data);
      values.back() = data.values;
    });
  }
  return values;
}

std::string zipped(std::string_view bytes) {
  z_stream stream{};
  constexpr int gzip_format = 15 + 16, fast = 1, memory_level = 8;
  deflateInit2(&stream, fast, Z_DEFLATED, gzip_format, memory_level, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Of a gzipped file that is cut, one image may still be whole: what the plain file does not give is not compared.
bool has_values_of(const Values& zipped, const Values& plain) {
  return std::equal(plain.begin(), plain.end(), zipped.begin(), zipped.end(), [](const auto& x, const auto& y) {
    return x.empty() || (x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(Real)) == 0);
  });
}

struct File {
  std::string name;
  std::string_view bytes;
};

/// Reads `main`, with `beside` beside it, and both again gzipped: the fuzzer cannot make gzip data of its own.
void read_plain_and_zipped(const File& main, const File& beside, const std::vector<std::string>& qualifiers) {
  Values plain;
  for (const bool zip : {false, true}) {
    const std::string ending = zip ? ".gz" : "";
    for (const File& file : {main, beside}) {
      if (!file.name.empty()) write_file(file.name + ending, zip ? zipped(file.bytes) : file.bytes);
    }
    const Values values = read_all(main.name + ending, qualifiers);
    expect(!zip || has_values_of(values, plain), "a file gives the same values gzipped");
    plain = values;
    for (const File& file : {main, beside}) unlink((file.name + ending).c_str());
  }
}

/// Two files in one input: the size of the first in two bytes, the first, the second.
std::pair<std::string_view, std::string_view> split(std::string_view input) {
  if (input.size() < 2) return {};
  const auto* sizes = reinterpret_cast<const unsigned char*>(input.data());
  const std::size_t size = std::min<std::size_t>(256u * sizes[0] + sizes[1], input.size() - 2);
  return {input.substr(2, size), input.substr(2 + size)};
}

void nifti(std::string_view input) { read_plain_and_zipped({"a.nii", input}, {}, {"", "?frame=1"}); }

void nifti_pair(std::string_view input) {
  const auto [header, voxels] = split(input);
  read_plain_and_zipped({"a.img", voxels}, {"a.hdr", header}, {"", "?frame=1"});
}

void idx(std::string_view input) {
  const auto [labels, images] = split(input);
  read_plain_and_zipped({"a-images-idx3-ubyte", images}, {"a-labels-idx1-ubyte", labels},
                        {"?count=1", "?item=1", "?label=7&item=1&spacing=2x3"});
}

void csv(std::string_view input) {
  read_plain_and_zipped({"a.csv", input}, {}, {"", "?as=points", "?as=points&weights=last", "?as=voxels"});
}

void ply(std::string_view input) { read_plain_and_zipped({"a.ply", input}, {}, {""}); }
void obj(std::string_view input) { read_plain_and_zipped({"a.obj", input}, {}, {""}); }
void xyz(std::string_view input) { read_plain_and_zipped({"a.xyz", input}, {}, {""}); }

void read_file(const std::string& name, std::string_view input, const std::vector<std::string>& qualifiers) {
  write_file(name, input);
  read_all(name, qualifiers);
  unlink(name.c_str());
}

void png(std::string_view input) { read_file("a.png", input, {"", "?channel=a", "?channel=g&invert=1", "?as=colors"}); }
void jpeg(std::string_view input) { read_file("a.jpg", input, {"", "?channel=g&invert=1", "?as=colors&pixels=3"}); }
void pgm(std::string_view input) { read_file("a.pgm", input, {""}); }
void npy(std::string_view input) { read_file("a.npy", input, {"", "?stack=1", "?as=points&weights=last"}); }

/// As a measure, and as a checkpoint is: texts first.
void read_hdf5_file(const std::string& input) {
  write_file("a.h5", input);
  read_all("a.h5", {":/a", ":/group/b?stack=1", ":/nowhere"});
  Hdf5Reader reader("a.h5");
  for (const char* name : {"/header/format", "/header/entries"}) {
    succeeds([&] { reader.texts(name); });
  }
  unlink("a.h5");
}

void read_gifti_file(const std::string& input) {
  read_file("a.gii", input, {"", "?frame=1"});
  write_file("a.gii", input);
  succeeds([] { check_surface(make_mesh(read_mesh("a.gii"))); });
  unlink("a.gii");
}

/// HDF5 and GIfTI files are read in a child process, which takes longer to make than to read in. So one child reads many
/// inputs; one at which the library crashes in it is read again as users read it, which must end well.
class ReadApart {
 public:
  explicit ReadApart(void (*read)(const std::string& input)) : read_(read) {}

  void operator()(std::string_view input) {
    constexpr int most_inputs = 1000;  // what the library leaks at damaged files stays in the child
    if (child_ == nullptr || inputs_ == most_inputs) renew();
    ++inputs_;
    if (succeeds([&] { (*child_)(std::string(input)); })) return;
    renew();
    read_(std::string(input));
  }

 private:
  void renew() {
    inputs_ = 0;
    child_ = std::make_unique<Apart>("an input", [this](const std::string& input) {
      read_(input);
      return Answer{};
    });
  }

  void (*read_)(const std::string& input);
  std::unique_ptr<Apart> child_;
  int inputs_ = 0;
};

void hdf5(std::string_view input) {
  static ReadApart reader(read_hdf5_file);
  reader(input);
}

void gifti(std::string_view input) {
  static ReadApart reader(read_gifti_file);
  reader(input);
}

/// A surface or a map of FreeSurfer's.
void freesurfer(std::string_view input) {
  read_file("lh.curv", input, {"", "?and=lh.curv"});
  write_file("lh.white", input);
  succeeds([] { check_surface(make_mesh(read_mesh("lh.white"))); });
  unlink("lh.white");
}

/// Damaged gzip data.
void gzip(std::string_view input) {
  for (const char* name : {"a.csv.gz", "a.nii.gz"}) read_file(name, input, {""});
}

}  // namespace

const std::vector<Target>& file_targets() {
  static const std::vector<Target> table{{"nifti", nifti},
                                         {"nifti_pair", nifti_pair},
                                         {"png", png, mutate_png},
                                         {"jpeg", jpeg},
                                         {"pgm", pgm},
                                         {"idx", idx},
                                         {"csv", csv},
                                         {"npy", npy},
                                         {"ply", ply},
                                         {"obj", obj},
                                         {"xyz", xyz},
                                         {"hdf5", hdf5},
                                         {"gifti", gifti},
                                         {"freesurfer", freesurfer},
                                         {"gzip", gzip}};
  return table;
}

}  // namespace hpot::fuzz
