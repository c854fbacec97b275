#include "hpot/io/cloud_file.hpp"

#include "io/files.hpp"
#include "io/nifti_files.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <cmath>
#include <numeric>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::SizeIs;

const Real nan = std::numeric_limits<Real>::quiet_NaN();

using Reader = CloudData (*)(const std::string&);

CloudData read_text(Reader read, const std::string& content) {
  const Folder folder("cloud");
  return read(folder.write("cloud", content));
}
std::string text_error(Reader read, const std::string& content) {
  return error_of([&] { read_text(read, content); });
}

/// A function, as a macro for each of so many takes its time to compile.
void expect_refused(const std::string& error, const std::string& why) { EXPECT_THAT(error, HasSubstr(why)); }

void expect_points(const CloudData& data, int dimension, const std::vector<Real>& coordinates) {
  EXPECT_EQ(data.cloud.dimension, dimension);
  EXPECT_THAT(*data.cloud.coordinates, ElementsAreArray(coordinates));
  EXPECT_EQ(data.cloud.order, nullptr);
  EXPECT_THAT(data.values, AllOf(SizeIs(coordinates.size() / dimension), Each(1.0)));
}

/// What damage leaves is refused or a cloud whose parts agree.
void expect_valid_or_refused(Reader read, const std::string& content) {
  try {
    const CloudData data = read_text(read, content);
    EXPECT_GT(data.cloud.points(), 0);
    EXPECT_EQ(data.cloud.coordinates->size(), data.values.size() * static_cast<std::size_t>(data.cloud.dimension));
  } catch (const InputError&) {
  }
}

std::string header(const std::string& format, const std::string& elements) {
  return "ply\nformat " + format + " 1.0\ncomment by hand\n" + elements + "end_header\n";
}

/// Faces, three vertices that have more than x, y, z, and more faces.
std::string mesh_header(const std::string& format) {
  return header(
      format,
      "element strip 2\nproperty list uchar short links\nproperty uchar flag\n"
      "element vertex 3\nproperty uchar red\nproperty double z\nproperty list int float tags\nproperty float x\n"
      "property short y\nproperty float quality\nelement empty 7\n"
      "element face 1\nproperty list uchar int vertex_indices\n");
}

std::string ascii_mesh() {
  return mesh_header("ascii") +
         "3 -1 2 3 9\n0 8\n\n255 0.25 2 1e0 5 1.5 -2 7\n0 1e-300 0 -2.5 +300 7\n1 3 0 0 -32768 7\n3 0 1 2\n";
}

std::string binary_mesh(bool big) {
  const auto tiny = [](int value) { return std::string(1, static_cast<char>(value)); };
  const auto vertex = [&](int red, double z, const std::vector<float>& tags, float x, short y) {
    return tiny(red) + number_bytes(z, big) + number_bytes(static_cast<int>(tags.size()), big) +
           numbers_bytes(tags, big) + number_bytes(x, big) + number_bytes(y, big) + number_bytes(7.0f, big);
  };
  return mesh_header(big ? "binary_big_endian" : "binary_little_endian") + tiny(3) +
         numbers_bytes<short>({-1, 2, 3}, big) + tiny(9) + tiny(0) + tiny(8) +
         vertex(255, 0.25, {1.0f, 5.0f}, 1.5f, -2) + vertex(0, 1e-300, {}, -2.5f, 300) +
         vertex(1, 3.0, {}, 0.0f, -32768) + tiny(3) + numbers_bytes<int>({0, 1, 2}, big);
}

TEST(Ply, AsciiAndBinaryOfBothByteOrdersGiveTheVertices) {
  for (const std::string& mesh : {ascii_mesh(), binary_mesh(false), binary_mesh(true)}) {
    expect_points(read_text(read_ply, mesh), 3, {1.5, -2, 0.25, -2.5, 300, 1e-300, 0, -32768, 3});
  }
}

template <class T>
void expect_coordinate_type(const std::string& type, T x, T y) {
  for (const bool big : {false, true}) {
    const std::string content =
        header(big ? "binary_big_endian" : "binary_little_endian",
               "element vertex 1\nproperty " + type + " x\nproperty " + type + " y\nproperty " + type + " z\n") +
        numbers_bytes<T>({x, y, x}, big);
    expect_points(read_text(read_ply, content), 3, {static_cast<Real>(x), static_cast<Real>(y), static_cast<Real>(x)});
  }
}

TEST(Ply, EveryScalarTypeIsReadInBothByteOrders) {
  for (const char* type : {"char", "int8"}) expect_coordinate_type<std::int8_t>(type, -3, 100);
  for (const char* type : {"uchar", "uint8"}) expect_coordinate_type<std::uint8_t>(type, 3, 255);
  for (const char* type : {"short", "int16"}) expect_coordinate_type<std::int16_t>(type, -300, 4);
  for (const char* type : {"ushort", "uint16"}) expect_coordinate_type<std::uint16_t>(type, 3, 65535);
  for (const char* type : {"int", "int32"}) expect_coordinate_type<std::int32_t>(type, -70000, 4);
  for (const char* type : {"uint", "uint32"}) expect_coordinate_type<std::uint32_t>(type, 3, 4294967295u);
  expect_coordinate_type<std::int64_t>("int64", -(std::int64_t{1} << 40), 4);
  expect_coordinate_type<std::uint64_t>("uint64", 3, std::uint64_t{1} << 63);
  for (const char* type : {"float", "float32"}) expect_coordinate_type<float>(type, -1.5f, 1e30f);
  for (const char* type : {"double", "float64"}) expect_coordinate_type<double>(type, -1e100, 1e-300);
}

TEST(Ply, AnyLineEndAndGzipAreUnderstood) {
  const std::string xyz = "element vertex 1\nproperty float x\nproperty float y\nproperty float z\n";
  for (const char* end : {"\n", "\r\n", "\r"}) {
    for (const bool binary : {false, true}) {
      std::string content = header(binary ? "binary_little_endian" : "ascii", xyz + "obj_info none\n");
      for (std::size_t at = 0; (at = content.find('\n', at)) != std::string::npos; at += std::strlen(end)) {
        content.replace(at, 1, end);
      }
      content += binary ? numbers_bytes<float>({1, 2, 3}, false) : std::string("1 2 3") + end;
      expect_points(read_text(read_ply, content), 3, {1, 2, 3});
    }
  }
  const Folder folder("ply_gz");
  const std::string mesh = binary_mesh(true), path = folder / "mesh.ply.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, mesh.data(), static_cast<unsigned>(mesh.size()));
  gzclose(file);
  EXPECT_EQ(read_ply(path).cloud.points(), 3);
  const std::string cut = folder.write("cut.ply.gz", bytes_of(path).substr(0, 150));
  EXPECT_THAT(error_of([&] { read_ply(cut); }), HasSubstr("cut short: its gzip data has no end"));
}

std::string ply_error(const std::string& format, const std::string& elements, const std::string& body = {}) {
  return text_error(read_ply, header(format, elements) + body);
}

TEST(Ply, BadHeadersAreInputErrors) {
  const std::string xy = "element vertex 1\nproperty float x\nproperty float y\n", xyz = xy + "property float z\n";
  expect_refused(text_error(read_ply, ""), "not a PLY file");
  expect_refused(text_error(read_ply, "plyx\n"), "not a PLY file");
  expect_refused(text_error(read_ply, "ply\n" + xyz + "end_header\n1 2 3\n"), "no line 'format'");
  expect_refused(text_error(read_ply, "ply\nformat ascii 2.0\n"), "cloud:2 (not version 1.0 of PLY)");
  expect_refused(text_error(read_ply, "ply\nformat ascii 1.0\n" + xyz), "no end_header");
  expect_refused(ply_error("binary", xyz), "cloud:2 (unknown format 'binary') [known: ascii, binary_little");
  expect_refused(ply_error("ascii", xy, "1 2\n"), "cloud (its vertices have no property z)");
  expect_refused(ply_error("ascii", xy + "property list uchar float z\n", "1 2 0\n"), "no property z");
  expect_refused(ply_error("ascii", xyz + "property float y\n", "1 2 3 4\n"), "a second property y");
  expect_refused(ply_error("ascii", xy + "property half z\n"), "cloud:7 (unknown type 'half') [known: char,");
  expect_refused(ply_error("ascii", xyz + "property list float int l\n"), "whose length is no integer");
  expect_refused(ply_error("ascii", xyz + "property float\n"), "a property without a name");
  expect_refused(ply_error("ascii", "property float x\n" + xyz), "a property before all elements");
  expect_refused(ply_error("ascii", "vertices 3\n"), "unknown keyword 'vertices'");
  expect_refused(ply_error("ascii", "element face 0\n"), "no element vertex");
  expect_refused(ply_error("ascii", xyz + xyz, "1 2 3\n1 2 3\n"), "several elements vertex");
  expect_refused(ply_error("ascii", "element vertex\n"), "'' is no number of elements");
  expect_refused(ply_error("ascii", "element vertex -1\n"), "'-1' is no number of elements");
  expect_refused(ply_error("ascii", "element vertex 99999999999999999999\n"), "is no number of elements");
}

TEST(Ply, BadBodiesAreInputErrors) {
  const std::string xyz = "property float x\nproperty float y\nproperty float z\n", two = "element vertex 2\n" + xyz;
  expect_refused(ply_error("ascii", "element vertex 0\n" + xyz), "cloud (holds no points)");
  expect_refused(ply_error("ascii", two, "1 2 3\n"), "it claims 2 elements 'vertex', more than the file can");
  expect_refused(ply_error("ascii", two, "1.5 2.5 3.5\n"), "cut short: it ends within its elements 'vertex'");
  expect_refused(ply_error("ascii", two, "1.25 2 3\n1 2\n"), "cloud:10 (it ends where a number should follow)");
  expect_refused(ply_error("ascii", two, "1 2 3\n1 2 3 4\n"), "cloud:10 (more numbers than its header says)");
  expect_refused(ply_error("ascii", two, "1 2 3\n1 2 z\n"), "cloud:10 ('z' is no number)");
  expect_refused(ply_error("ascii", two, "1 2 3\n1 nan 3\n"), "point = 1 (a coordinate that is infinite or NaN)");
  expect_refused(ply_error("ascii", two, "1 2 -inf\n1 2 3\n"), "point = 0");
  expect_refused(ply_error("ascii", two, "1 2 3\n1 2 1e999\n"), "point = 1");
  const std::string list = "element vertex 1\nproperty list char int l\n" + xyz;
  expect_refused(ply_error("ascii", list, "-1 1 2 3\n"), "'-1' is no length of a list");
  expect_refused(ply_error("ascii", list, "9000000000000000000 1 2 3\n"), "fewer numbers than its header says");
  for (const bool big : {false, true}) {
    const std::string format = big ? "binary_big_endian" : "binary_little_endian";
    for (const std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0x7f800001u}) {  // the last traps when used
      expect_refused(ply_error(format, two, numbers_bytes<float>({1, 2, 3, 4, 5}, big) + number_bytes(bits, big)),
                     "point = 1 (a coordinate that is infinite or NaN)");
    }
    expect_refused(ply_error(format, list, std::string(1, '\xff') + std::string(12, '\1')),
                   "negative length in its elements");
    expect_refused(ply_error(format, list, std::string(1, '\x7f') + std::string(12, '\1')),
                   "ends within its elements 'vertex'");
  }
}

TEST(Ply, CountsThatTheFileCannotHoldTakeNoMemory) {
  const std::string xyz = "property float x\nproperty float y\nproperty float z\n", body(24, '\0');
  const std::string huge = "9223372036854775807";
  for (const std::string format : {"ascii", "binary_little_endian", "binary_big_endian"}) {
    for (const std::string& count : {std::string("30"), std::string("4000000000"), huge}) {
      const std::string why = "it claims " + count + " elements";
      expect_refused(ply_error(format, "element vertex " + count + "\n" + xyz, body), why);
      EXPECT_THAT(
          ply_error(format, "element face " + count + "\nproperty list uchar int l\nelement vertex 1\n" + xyz, body),
          HasSubstr(why));
    }
  }
  const std::string lists = "element vertex 1\nproperty list uint64 double l\n" + xyz;
  expect_refused(ply_error("binary_little_endian", lists, std::string(30, '\xff')), "ends within its elements");
  EXPECT_THAT(ply_error("binary_little_endian", "element none " + huge + "\nelement vertex 1\n" + xyz, body), "");
}

TEST(Ply, FilesCutAnywhereAreRefusedOrValid) {
  for (const std::string& mesh : {ascii_mesh(), binary_mesh(false), binary_mesh(true)}) {
    ASSERT_EQ(text_error(read_ply, mesh), "");
    for (std::size_t size = 0; size < mesh.size(); ++size) expect_valid_or_refused(read_ply, mesh.substr(0, size));
  }
  for (const bool big : {false, true}) {
    const std::string mesh = binary_mesh(big);
    for (std::size_t size = 0; size < mesh.size(); ++size)
      EXPECT_NE(text_error(read_ply, mesh.substr(0, size)), "") << size;
  }
}

TEST(Obj, VerticesAloneCount) {
  expect_points(
      read_text(read_obj,
                "# v 9 9 9\nmtllib v.mtl\no thing\nv 1 2 3\r\n  v\t-1.5 +2e1 0 1.0\nvn 0 0 1\nvt 0.5 0.5\nvp 1\n"
                "v 4 5 6 0.1 0.2 0.3 # red\nf 1//1 2//1 \\\n 3//1\nl 1 2"),
      3, {1, 2, 3, -1.5, 20, 0, 4, 5, 6});
}

TEST(Obj, BadFilesAreInputErrors) {
  expect_refused(text_error(read_obj, ""), "cloud (holds no points) [check the file]");
  expect_refused(text_error(read_obj, "vn 0 0 1\nf 1 2 3\n"), "holds no points");
  expect_refused(text_error(read_obj, "v 1 2 3\nv 1 2\n"), "cloud:2 (it ends where a number should follow)");
  expect_refused(text_error(read_obj, "v 1 2 #3\n"), "cloud:1 (it ends where");
  expect_refused(text_error(read_obj, "v 1 2 x\n"), "cloud:1 ('x' is no number)");
  expect_refused(text_error(read_obj, "v 1,5 2 3\n"), "'1,5' is no number) [separate numbers by blanks");
  expect_refused(text_error(read_obj, "v 1 2 3\nv 1 inf 3\n"), "cloud: point = 1 (a coordinate that is infinite");
  expect_refused(text_error(read_obj, "v 1 2 nan\n"), "point = 0");
}

TEST(Xyz, RowsOfAsManyNumbersArePoints) {
  expect_points(read_text(read_xyz, "\xef\xbb\xbf# about\n1 2\n\n  -3.5\t+4e0 # second\r\n0 1e-999"), 2,
                {1, 2, -3.5, 4, 0, 0});
  expect_points(read_text(read_xyz, "1 2 3 4\n5 6 7 8\n"), 4, {1, 2, 3, 4, 5, 6, 7, 8});
}

TEST(Xyz, ChemistsFilesGiveTheirAtoms) {
  for (const char* comment : {"", "water", "1 2 3", "# Lattice=\"1 0 0\""}) {
    expect_points(read_text(read_xyz, std::string(" 3 \r\n") + comment + "\nO 0 0 0.5\nH -1 2 3 0.25 7\n1 4 5 6\n\n"),
                  3, {0, 0, 0.5, -1, 2, 3, 4, 5, 6});
  }
}

TEST(Xyz, BadFilesAreInputErrors) {
  expect_refused(text_error(read_xyz, ""), "cloud (holds no points)");
  expect_refused(text_error(read_xyz, "# nothing\n\n"), "holds no points");
  expect_refused(text_error(read_xyz, "1 2 3\n4 5\n"), "cloud:2 (2 numbers where the points above have 3)");
  expect_refused(text_error(read_xyz, "1.5\n2.5\n"), "cloud:1 (one number where a point has two or more)");
  expect_refused(text_error(read_xyz, "1 2\n3\n"), "cloud:2 (one number");
  expect_refused(text_error(read_xyz, "x y z\n1 2 3\n"), "cloud:1 ('x' is no number)");
  expect_refused(text_error(read_xyz, "1,2,3\n"), "'1,2,3' is no number) [separate numbers by blanks");
  expect_refused(text_error(read_xyz, "1 2\n3 nan\n"), "cloud: point = 1 (a coordinate that is infinite or NaN)");
  expect_refused(text_error(read_xyz, "1 2\n3 4\n-inf 5\n"), "point = 2");
  std::string row = "1";
  for (int i = 0; i < 4096; ++i) row += " 1";
  expect_refused(text_error(read_xyz, row), "cloud (points in 4097 dimensions) [clouds have at most 4096");
  expect_refused(text_error(read_xyz, "3\nc\nH 0 0 0\n"), "claims 3 points, after the comment on the second line 1");
  expect_refused(text_error(read_xyz, "99999999999\n"), "claims 99999999999 points");
  expect_refused(text_error(read_xyz, "99999999999999999999\n"), "cloud:1 ('99999999999999999999' is no number of");
  expect_refused(text_error(read_xyz, "0\nc\n"), "holds no points");
  expect_refused(text_error(read_xyz, "1\nc\nH 0 0 0\n1\nc\nH 0 0 0\n"), "cloud:4 (more than the 1 points");
  expect_refused(text_error(read_xyz, "1\nc\nH 0 0\n"), "cloud:3 (it ends where a number should follow)");
  expect_refused(text_error(read_xyz, "1\nc\nH 0 0 inf\n"), "point = 0");
}

TEST(TextClouds, FilesCutAnywhereAreRefusedOrValid) {
  const std::string obj = "v 1 2 3\nv 4.5 5e1 -6\nf 1 2 2\n", xyz = "1 2 3\n4.5 5e1 -6\n",
                    atoms = "2\nc\nH 1 2 3\nO 4 5 6\n";
  for (std::size_t size = 0; size < obj.size(); ++size) expect_valid_or_refused(read_obj, obj.substr(0, size));
  for (std::size_t size = 0; size < xyz.size(); ++size) expect_valid_or_refused(read_xyz, xyz.substr(0, size));
  for (std::size_t size = 0; size < atoms.size(); ++size) expect_valid_or_refused(read_xyz, atoms.substr(0, size));
}

TEST(TextClouds, FilesThatAreNotThereAreNamed) {
  for (const Reader read : {&read_ply, &read_obj, &read_xyz}) {
    EXPECT_THAT(error_of([&] { read("/nowhere/cloud"); }), HasSubstr("/nowhere/cloud (no such file)"));
  }
}

std::string array_error(const std::vector<Index>& shape, const std::vector<Real>& values,
                        CloudWeights weights = CloudWeights::none) {
  return error_of([&] { cloud_of_array({shape, values}, weights, "a.npy"); });
}

TEST(ArrayClouds, RowsArePointsAndTheLastColumnMayBeWeights) {
  expect_points(cloud_of_array({{2, 3}, {1, 2, 3, 4, 5, 6}}, CloudWeights::none, "a"), 3, {1, 2, 3, 4, 5, 6});
  expect_points(cloud_of_array({{3}, {1, 2, 3}}, CloudWeights::none, "a"), 1, {1, 2, 3});
  expect_points(cloud_of_array({{3, 1}, {1, 2, 3}}, CloudWeights::none, "a"), 1, {1, 2, 3});
  const CloudData weighted = cloud_of_array({{3, 3}, {1, 2, 0.5, 4, 5, -1, 7, 8, nan}}, CloudWeights::last, "a.npy");
  EXPECT_EQ(weighted.cloud.dimension, 2);
  EXPECT_EQ(weighted.name, "a.npy");
  EXPECT_THAT(*weighted.cloud.coordinates, ElementsAre(1, 2, 4, 5, 7, 8));
  EXPECT_THAT(weighted.values, ElementsAre(0.5, -1, testing::IsNan()));
}

TEST(ArrayClouds, BadArraysAreInputErrors) {
  const auto last = CloudWeights::last;
  expect_refused(array_error({}, {1}), "a.npy (an array of 0 dimensions)");
  expect_refused(array_error({1, 1, 2}, {1, 2}), "a.npy (an array of 3 dimensions) [points are a table");
  expect_refused(array_error({0, 2}, {}), "a.npy (holds no points)");
  expect_refused(array_error({0, 2}, {}, last), "holds no points");
  expect_refused(array_error({2, 0}, {}), "holds no points");
  expect_refused(array_error({2}, {1, 2}, last), "a.npy: weights = last (the array has one column only)");
  expect_refused(array_error({2, 1}, {1, 2}, last), "weights = last (the array has one column only)");
  expect_refused(array_error({2, 2}, {1, 2, nan, 3}), "a.npy: point = 1 (a coordinate that is infinite or NaN)");
  expect_refused(array_error({2, 2}, {-infinity, 2, 1, 3}, last), "point = 0");
  expect_refused(array_error({2, 2}, {1, infinity, 1, 3}, last), "a.npy (1 infinite values)");
  EXPECT_EQ(array_error({1, 4096}, std::vector<Real>(4096)), "");
  EXPECT_EQ(array_error({1, 4097}, std::vector<Real>(4097), last), "");
  expect_refused(array_error({1, 4097}, std::vector<Real>(4097)), "points in 4097 dimensions");
}

GridData volume() {
  GridData data{make_grid({2, 1, 3}, {4.0, 2.0, 0.5}), {0, 1, nan, -2, -0.0, 3}, "volume"};
  data.grid.axes[0].origin = 10.0;
  return data;
}

TEST(Voxels, ThoseWithAValueArePointsAndItIsTheirWeight) {
  const CloudData data = voxels_of(volume());
  EXPECT_EQ(data.cloud.dimension, 3);
  EXPECT_THAT(*data.cloud.coordinates, ElementsAre(10, 0, 0.5, 14, 0, 0, 14, 0, 1));
  EXPECT_THAT(data.values, ElementsAre(1, -2, 3));
  EXPECT_EQ(data.name, "volume");
  const CloudData image = voxels_of({make_grid({2, 2}, {1.0}), {0, 1, 1, 0}, "image"});
  expect_points(image, 2, {0, 1, 1, 0});
}

TEST(Voxels, AnAffineGivesMillimetresInItsOrder) {
  GridData data = volume();
  data.grid.affine = Affine{{{-2, 0, 0, 90}, {0, 3, 1, -120}, {0, 0, 4, -70}}};
  const CloudData cloud = voxels_of(data);  // voxels (x, y, z) = (1, 0, 0), (0, 0, 1), (2, 0, 1)
  EXPECT_EQ(cloud.cloud.dimension, 3);
  EXPECT_THAT(*cloud.cloud.coordinates, ElementsAre(88, -120, -70, 90, -119, -66, 86, -119, -66));
  EXPECT_THAT(cloud.values, ElementsAre(1, -2, 3));
  GridData slice{make_grid({2, 2}, {1.0}), {0, 1, 1, 0}, "slice"};
  slice.grid.affine = data.grid.affine;
  EXPECT_THAT(*voxels_of(slice).cloud.coordinates, ElementsAre(88, -120, -70, 90, -117, -70));
}

TEST(Voxels, VolumesWithoutPointsAreInputErrors) {
  GridData data = volume();
  data.values.assign(6, 0.0);
  data.values[2] = nan;
  EXPECT_THAT(error_of([&] { voxels_of(data); }), HasSubstr("volume (all its values are 0 or NaN)"));
  data.values[3] = infinity;
  EXPECT_THAT(error_of([&] { voxels_of(data); }), HasSubstr("volume (1 infinite values)"));
}

TEST(RealClouds, HaveTheirKnownVertices) {
  const std::string spot = data_file("clouds/spot.obj"), bunny = data_file("clouds/bunny.ply");
  if (spot.empty() || bunny.empty()) GTEST_SKIP() << "no data";
  const CloudData cow = read_obj(spot), rabbit = read_ply(bunny);
  EXPECT_EQ(cow.cloud.describe(), "2930 points in 3 dimensions");
  EXPECT_EQ(cow.cloud.at(0, 2), -0.0832331);
  EXPECT_EQ(rabbit.cloud.describe(), "8171 points in 3 dimensions");
  EXPECT_EQ(rabbit.cloud.at(0, 0), -0.036872);
  EXPECT_EQ(std::accumulate(rabbit.values.begin(), rabbit.values.end(), 0.0), 8171.0);
}

}  // namespace
