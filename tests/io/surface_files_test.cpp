#include "hpot/io/freesurfer.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/io/mesh_file.hpp"
#include "hpot/io/surface_picture.hpp"
#include "hpot/measure/intrinsic_mesh.hpp"
#include "hpot/measure/synthetic_surface.hpp"
#include "io/files.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <bit>
#include <cmath>
#include <numeric>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::ElementsAre;
using testing::HasSubstr;

/// A GIfTI array with text values.
std::string array_text(const std::string& intent, const std::string& type, const std::vector<int>& dims,
                       const std::string& values, const std::string& more = "") {
  std::string text = "<DataArray Intent=\"NIFTI_INTENT_" + intent + "\" DataType=\"NIFTI_TYPE_" + type +
                     "\" ArrayIndexingOrder=\"RowMajorOrder\" Dimensionality=\"" + std::to_string(dims.size()) + "\"";
  for (std::size_t d = 0; d < dims.size(); ++d)
    text += " Dim" + std::to_string(d) + "=\"" + std::to_string(dims[d]) + "\"";
  return text + " Encoding=\"ASCII\" Endian=\"LittleEndian\" ExternalFileName=\"\" ExternalFileOffset=\"\"" + more +
         "><Data>" + values + "</Data></DataArray>\n";
}

std::string gifti_text(const std::vector<std::string>& arrays) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GIFTI Version=\"1.0\" NumberOfDataArrays=\"" +
                     std::to_string(arrays.size()) + "\">\n<MetaData/>\n<LabelTable/>\n";
  for (const std::string& array : arrays) text += array;
  return text + "</GIFTI>\n";
}

std::string square() {
  return gifti_text({array_text("POINTSET", "FLOAT32", {4, 3}, "0 0 0 1 0 0 1 1 0 0 1.5 0"),
                     array_text("TRIANGLE", "INT32", {2, 3}, "0 1 2 0 2 3")});
}

void gzip(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

std::string big_endian(std::uint32_t number, int bytes = 4) {
  std::string text;
  for (int b = bytes - 1; b >= 0; --b) text += static_cast<char>(number >> (8 * b));
  return text;
}

std::string big_endian(float number) { return big_endian(std::bit_cast<std::uint32_t>(number)); }

std::string freesurfer_square() {
  std::string bytes = big_endian(0xFFFFFE, 3) + "created by a test\n\n" + big_endian(4u) + big_endian(2u);
  for (const float x : {0.f, 0.f, 0.f, 1.f, 0.f, 0.f, 1.f, 1.f, 0.f, 0.f, 1.5f, 0.f}) bytes += big_endian(x);
  for (const std::uint32_t v : {0u, 1u, 2u, 0u, 2u, 3u}) bytes += big_endian(v);
  return bytes;
}

std::string freesurfer_map(const std::vector<float>& values) {
  std::string bytes =
      big_endian(0xFFFFFF, 3) + big_endian(static_cast<std::uint32_t>(values.size())) + big_endian(9u) + big_endian(1u);
  for (const float value : values) bytes += big_endian(value);
  return bytes;
}

TEST(SurfaceFiles, AllFormatsGiveTheSameSurface) {
  const Folder folder("surfaces");
  gzip(folder / "square.gii.gz", square());
  for (const std::string& path : {folder.write("square.gii", square()), folder / "square.gii.gz",
                                  folder.write("lh.white", freesurfer_square())}) {
    const MeshData mesh = read_mesh(path);
    EXPECT_THAT(mesh.coordinates, ElementsAre(0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1.5, 0)) << path;
    EXPECT_THAT(mesh.triangles, ElementsAre(0, 1, 2, 0, 2, 3)) << path;
    EXPECT_EQ(mesh.name, path);
  }
}

TEST(SurfaceFiles, MapsKeepTheirNansAndFramesAndFollowOneAnother) {
  const Folder folder("surface_maps");
  const std::string two = folder.write("two.func.gii", gifti_text({array_text("NONE", "FLOAT32", {3}, "1 2 3.5"),
                                                                   array_text("POINTSET", "FLOAT32", {1, 3}, "0 0 0"),
                                                                   array_text("SHAPE", "INT32", {3}, "-4 5 6")}));
  const std::string curv = folder.write("lh.thickness", freesurfer_map({1.5f, std::nanf(""), -2.f}));
  EXPECT_THAT(read_measure(two + "?frame=1").values, ElementsAre(-4, 5, 6));
  const std::vector<Real> values = read_measure(curv).values;
  EXPECT_EQ(values[0], 1.5);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], -2.0);
  EXPECT_EQ(read_measure(curv + "?and=" + curv).values.size(), 6u);
  EXPECT_TRUE(is_surface_map(curv));
  EXPECT_TRUE(is_surface_map("synthetic:sphere?subdivisions=1"));
  EXPECT_FALSE(is_surface_map("synthetic:waves"));
  EXPECT_THAT(error_of([&] { read_measure(two); }), HasSubstr("holds 2 maps) [choose one: ?frame=0 to ?frame=1]"));
  EXPECT_THAT(error_of([&] { read_measure(two + "?frame=2"); }), HasSubstr("frame = 2 (there are 2)"));
}

TEST(SurfaceFiles, WrittenMapsReadBack) {
  const Folder folder("surface_written");
  std::vector<Real> values(1000);
  std::iota(values.begin(), values.end(), -3.25);
  write_gifti_map(folder / "map.func.gii", values);
  EXPECT_EQ(read_gifti_map(folder / "map.func.gii"), values);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(SurfaceFiles, DamagedFilesAreOneError) {
  const Folder folder("surface_damage");
  const auto error = [&](const std::string& name, const std::string& bytes) {
    const std::string path = folder.write(name, bytes);
    return error_of([&] {
      if (name.ends_with(".func.gii") || name == "lh.curv") {
        read_measure(path);
      } else {
        make_mesh(read_mesh(path));
      }
    });
  };
  const std::string good = square(), surface = freesurfer_square(), map = freesurfer_map({1.f, 2.f});
  EXPECT_EQ(error("a.gii", good), "");
  EXPECT_THAT(error("a.gii", ""), HasSubstr("a.gii (no GIfTI file, or a damaged one)"));
  EXPECT_THAT(error("a.gii", "P5 3 2 255"), HasSubstr("no GIfTI file"));
  for (std::size_t cut = 10; cut < good.size() - 12; cut += 37)
    EXPECT_NE(error("a.gii", good.substr(0, cut)), "") << cut;
  EXPECT_THAT(error("a.gii", gifti_text({array_text("NONE", "FLOAT32", {2}, "1 2")})), HasSubstr("it has no points"));
  EXPECT_THAT(error("a.gii", gifti_text({array_text("POINTSET", "FLOAT32", {3, 2}, "1 2 3 4 5 6")})),
              HasSubstr("points are not three numbers each"));
  EXPECT_THAT(error("a.func.gii", gifti_text({array_text("NONE", "FLOAT32", {900000000}, "1 2")})),
              HasSubstr("too short for the values that it claims"));
  EXPECT_THAT(error("a.func.gii", square()), HasSubstr("a surface without a map"));
  EXPECT_THAT(error("a.func.gii", gifti_text({array_text("NONE", "FLOAT32", {2, 2}, "1 2 3 4")})),
              HasSubstr("several values a vertex"));
  EXPECT_EQ(error("lh.white", surface), "");
  for (std::size_t cut = 0; cut < surface.size(); cut += 7)
    EXPECT_NE(error("lh.white", surface.substr(0, cut)), "") << cut;
  EXPECT_THAT(error("lh.white", map), HasSubstr("no triangle file of FreeSurfer"));
  EXPECT_THAT(error("lh.white", big_endian(0xFFFFFE, 3) + "c\n\n" + big_endian(0x7FFFFFFFu) + big_endian(2u)),
              HasSubstr("more than the file can hold"));
  EXPECT_EQ(error("lh.curv", map), "");
  EXPECT_THAT(error("lh.curv", map.substr(0, map.size() - 1)), HasSubstr("lh.curv"));
  EXPECT_THAT(error("lh.curv", surface), HasSubstr("unknown extension"));
}

TEST(SurfaceFiles, FsaverageHasNoNegativeWeightAfterFlips) {
  const std::string path = data_file("surfaces/fsaverage5_left/white_left.gii.gz");
  if (path.empty()) GTEST_SKIP() << "skipped: no data";
  const Mesh mesh = make_mesh(read_mesh(path));
  EXPECT_EQ(mesh.points(), 10242);
  EXPECT_EQ(mesh.faces(), 20480);
  IntrinsicMesh intrinsic(mesh);
  EXPECT_EQ(intrinsic.negative_weights(), 2675);
  EXPECT_GT(intrinsic.make_delaunay(), 2000);
  EXPECT_EQ(intrinsic.negative_weights(), 0);
  const auto sum = [](const std::vector<Real>& values) { return std::accumulate(values.begin(), values.end(), 0.0); };
  EXPECT_NEAR(sum(intrinsic.lumped_mass()) / sum(*mesh.areas), 1.0, 1e-6) << "flips keep the area";
}

TEST(SurfacePicture, HasLateralAndMedialViewsOfEveryComponent) {
  const Mesh one = make_mesh(synthetic_surface("sphere?subdivisions=3"));
  std::vector<Real> masses(one.points(), 0.0);
  for (Index v = 0; v < one.points(); ++v)
    masses[v] = one.at(v, 0) < -30.0 ? (*one.areas)[v] : one.at(v, 0) > 30.0 ? -(*one.areas)[v] : 0.0;
  const Raster picture = picture_of(one, masses);
  EXPECT_EQ(picture.width, 2 * 480 + 2);
  EXPECT_EQ(picture.height, 480);
  const auto pixel = [&](Index x, Index y) { return &picture.rgb[3 * (y * picture.width + x)]; };
  EXPECT_GT(pixel(240, 240)[0], pixel(240, 240)[2] + 40) << "positive values, at the left, are red: the lateral view";
  EXPECT_GT(pixel(722, 240)[2], pixel(722, 240)[0] + 40) << "negative values are blue";
  EXPECT_EQ(pixel(3, 3)[0] + pixel(3, 3)[1] + pixel(3, 3)[2], 3 * 255) << "paper";
  const Mesh two = make_mesh(
      joined({synthetic_surface("sphere?subdivisions=1"), synthetic_surface("sphere?subdivisions=1&radius=9")}));
  EXPECT_EQ(picture_of(two, std::vector<Real>(two.points(), 1.0)).height, 2 * 480 + 2);
}

}  // namespace
