#include "hpot/io/measure_file.hpp"

#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/nifti.hpp"
#include "hpot/measure/synthetic.hpp"

#include "io/files.hpp"

#include <gmock/gmock.h>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::ElementsAre;
using testing::HasSubstr;

std::string expand_error(const std::string& list) {
  return error_of([&] { expand_measures(list); });
}
std::string read_error(const std::string& source) {
  return error_of([&] { read_measure(source); });
}

std::string idx_images() { return std::string("\0\0\x8\x3\0\0\0\3\0\0\0\1\0\0\0\2", 16) + "abcdef"; }
std::string idx_labels() { return std::string("\0\0\x8\x1\0\0\0\3\7\x8\7", 11); }

TEST(ExpandMeasures, ListsAndGlobsKeepTheirOrderAndGlobsAreSorted) {
  const Folder folder("expand");
  for (const char* name : {"m10.csv", "m2.csv", "z.pgm", "m1.csv"}) (void)folder.write(name, "1");
  const std::string image = folder / "z.pgm", globbed = folder / "m*.csv?spacing=2", table = folder / "m2.csv";
  EXPECT_THAT(expand_measures(image + " , " + globbed + ",,\n" + table),
              ElementsAre(image, folder / "m1.csv?spacing=2", folder / "m10.csv?spacing=2", folder / "m2.csv?spacing=2",
                          table));
}

TEST(ExpandMeasures, NamesWithBlanksPercentSignsAndBracketsArePlainFiles) {
  const Folder folder("expand_names");
  const std::string path = folder.write("100% of [a] %s.csv", "1,2,3");
  EXPECT_THAT(expand_measures(path), ElementsAre(path));
  EXPECT_THAT(read_measure(path).values, ElementsAre(1, 2, 3));
}

TEST(ExpandMeasures, ContainersGiveOneTextPerItem) {
  const Folder folder("expand_idx");
  const std::string path = folder.write("t-images-idx3-ubyte", idx_images());
  (void)folder.write("t-labels-idx1-ubyte", idx_labels());
  EXPECT_THAT(expand_measures(path + "?count=2"), ElementsAre(path + "?item=0", path + "?item=1"));
  const auto sevens = expand_measures(path + "?label=7&spacing=0.5");
  ASSERT_THAT(sevens, ElementsAre(path + "?label=7&spacing=0.5&item=0", path + "?label=7&spacing=0.5&item=1"));
  EXPECT_THAT(read_measure(sevens[1]).values, ElementsAre('e', 'f'));
  EXPECT_EQ(read_measure(sevens[1]).support.describe(), "2 x 1, spacing 0.5 x 0.5");
  EXPECT_THAT(expand_measures(path + "?item=2"), ElementsAre(path + "?item=2"));
  EXPECT_THAT(expand_error(path + "?label=7&count=3"), HasSubstr("count = 3 (there are 2 to choose from)"));
  EXPECT_THAT(expand_error(path + "?item=1&count=3"), HasSubstr("give one of the two"));
  EXPECT_THAT(read_error(path), HasSubstr("stands for 3 measures"));
}

TEST(ExpandMeasures, SyntheticFamiliesGiveOneTextPerItem) {
  const auto texts = expand_measures("synthetic:gaussian?n=8&dim=2&count=3&seed=1");
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[2], "synthetic:gaussian?n=8&dim=2&count=3&seed=1&item=2");
  const MeasureData data = read_measure(texts[2]);
  EXPECT_EQ(data.values, synthetic_measure("gaussian?n=8&dim=2&count=3&seed=1", 2).values);
  EXPECT_EQ(data.name, texts[2]);
  EXPECT_THAT(expand_measures(texts[1]), ElementsAre(texts[1]));
  EXPECT_NE(expand_error("synthetic:nonesuch"), "");
}

TEST(ExpandMeasures, WhatIsNotThereIsAnInputError) {
  const Folder folder("expand_missing");
  EXPECT_THAT(expand_error(folder / "a.csv"), HasSubstr("a.csv (no such file)"));
  EXPECT_THAT(expand_error(folder / "*.csv"), HasSubstr("no file matches this pattern"));
  EXPECT_THAT(expand_error(folder / ""), HasSubstr("a folder"));
  EXPECT_THAT(expand_error(" , "), HasSubstr("the list is empty"));
  EXPECT_THAT(expand_error("?spacing=1"), HasSubstr("names no file"));
  EXPECT_THAT(expand_error(folder.write("a.doc", "1")), HasSubstr("(unknown extension) [known: .nii .nii.gz .hdr"));
}

TEST(Qualifiers, UnknownRepeatedAndMalformedOnesAreRejectedWithTheKnownOnes) {
  const Folder folder("qualifiers");
  const std::string csv = folder.write("a.csv", "1,2"), nii = folder / "a.nii";
  write_nifti(nii, make_grid({2}, {1.0}), {1, 2});
  EXPECT_THAT(
      expand_error(csv + "?frame=0"),
      HasSubstr("a.csv: frame = 0 (unknown qualifier of tables) [known: stack, count, item, spacing, as, weights]"));
  EXPECT_THAT(read_error(nii + "?spacing=2"), HasSubstr("[known: frame, as]"));
  EXPECT_THAT(read_error(nii + "?frame=-1"), HasSubstr("frame = -1 (not an integer from 0"));
  EXPECT_THAT(read_error(csv + "?spacing"), HasSubstr("'spacing' is no qualifier"));
  EXPECT_THAT(read_error(csv + "?spacing=1&spacing=2"), HasSubstr("there twice"));
  EXPECT_THAT(read_error(csv + "?spacing=1x0"), HasSubstr("'0' is not a positive number"));
  EXPECT_THAT(read_error(csv + "?spacing=1x1"), HasSubstr("2 numbers for 1 axes"));
  EXPECT_THAT(read_error(csv + "?spacing=nan"), HasSubstr("not a positive number"));
}

TEST(ReadMeasure, TablesAndImagesTakeSpacingInTheOrderXYZ) {
  const Folder folder("spacing");
  const std::string csv = folder.write("a.csv", "1,2,3\n4,5,6\n"), pgm = folder.write("A.PGM", "P2 1 2 5 0 1");
  EXPECT_EQ(read_measure(csv + "?spacing=3x4.5").support.describe(), "3 x 2, spacing 3 x 4.5");
  EXPECT_EQ(read_measure(pgm + "?spacing=2&invert=yes").support.describe(), "1 x 2, spacing 2 x 2");
  EXPECT_THAT(read_measure(pgm + "?invert=1&channel=r").values, ElementsAre(1.0, 0.8));
  EXPECT_THAT(read_error(pgm + "?invert=maybe"), HasSubstr("invert = maybe"));
}

TEST(ReadMeasure, RowsAndColumnsAreOneDimensional) {
  const Folder folder("vectors");
  EXPECT_EQ(read_measure(folder.write("row.csv", "1,2,3")).support.describe(), "3, spacing 1");
  EXPECT_EQ(read_measure(folder.write("column.csv", "1\n2\n3")).support.describe(), "3, spacing 1");
  EXPECT_EQ(read_measure(folder.write("point.csv", "1")).support.describe(), "1, spacing 1");
}

TEST(ReadMeasure, InfiniteValuesAreCounted) {
  const Folder folder("infinite");
  EXPECT_THAT(read_error(folder.write("a.csv", "1,inf,-inf,1e999")), HasSubstr("a.csv (3 infinite values)"));
}

TEST(ReadMeasure, StacksGiveTheirFirstAxisToItems) {
  const Folder folder("stack");
  const std::string path = folder / "a.h5";
  Hdf5Writer writer(path);
  writer.dataset("/maps", Array{{3, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}});
  writer.close();

  EXPECT_EQ(read_measure(path + ":/maps").support.describe(), "2 x 2 x 3, spacing 1 x 1 x 1");
  const auto texts = expand_measures((folder / "*.h5") + ":/maps?stack=1&count=2");
  ASSERT_THAT(texts, ElementsAre(path + ":/maps?stack=1&item=0", path + ":/maps?stack=1&item=1"));
  EXPECT_THAT(read_measure(texts[1]).values, ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(read_error(path + ":/maps?stack=1&item=3"), HasSubstr("item = 3 (there are 3 measures)"));
  EXPECT_THAT(read_error(path + ":/maps?item=3"), HasSubstr("say stack=1"));
  EXPECT_THAT(expand_error(path), HasSubstr("names no dataset"));
  EXPECT_THAT(read_error(path + ":/none"), HasSubstr("none"));
}

/// float64 of the given shape, 0, 1, 2, ... as they are stored.
std::string npy(const std::string& shape, bool fortran, int count) {
  std::string header = "{'descr': '<f8', 'fortran_order': " + std::string(fortran ? "True" : "False") + ", 'shape': (" +
                       shape + "), }\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  for (int i = 0; i < count; ++i) {
    const double value = i;
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

TEST(ReadMeasure, ItemsOfArraysInEitherOrder) {
  const Folder folder("npy_stack");
  const std::string c = folder.write("c.npy", npy("2, 3, 2", false, 12));
  const std::string fortran = folder.write("f.npy", npy("2, 3, 2", true, 12));
  EXPECT_THAT(read_measure(c + "?stack=1&item=1").values, ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_THAT(read_measure(fortran + "?stack=1&item=1").values, ElementsAre(1, 7, 3, 9, 5, 11));
  EXPECT_THAT(read_error(c + "?stack=1&item=2"), HasSubstr("item = 2 (there are 2 measures)"));
  const std::string table = folder.write("rows.csv", "w1,w2,w3\n1,2,3\n4,5,6\n");
  EXPECT_THAT(expand_measures(table + "?stack=1"), ElementsAre(table + "?stack=1&item=0", table + "?stack=1&item=1"));
  EXPECT_THAT(read_measure(table + "?stack=1&item=1").values, ElementsAre(4, 5, 6));
  EXPECT_EQ(read_grid(table + "?stack=1&item=1").describe(), make_grid({3}, {1.0}).describe());
  EXPECT_THAT(read_error(table + "?stack=1&item=2"), HasSubstr("item = 2 (there are 2 measures)"));
  EXPECT_THAT(read_error(table + "?item=1"), HasSubstr("say stack=1"));
  EXPECT_THAT(read_error(folder.write("cut.npy", npy("2, 3, 2", false, 8)) + "?stack=1&item=0"),
              HasSubstr("cut short"));
}

TEST(ReadPlanes, AreThoseOfTheWhole) {
  const Folder folder("planes");
  std::vector<Real> values(60);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<Real>(i);
  Hdf5Writer writer(folder / "a.h5");
  writer.dataset("/volume", Array{{3, 4, 5}, values});
  writer.dataset("/thin", Array{{1, 4, 15}, values});
  writer.dataset("/maps", Array{{3, 1, 4, 5}, values});
  writer.close();
  const Grid volume = make_grid({3, 4, 5}, {1.0, 1.0, 1.0});
  for (const std::string name : {"a.nii", "a.nii.gz"}) write_nifti(folder / name, volume, values);
  for (const std::string& source :
       {folder / "a.nii", folder / "a.nii.gz", folder / "a.nii?frame=0", folder / "a.h5:/volume", folder / "a.h5:/thin",
        folder / "a.h5:/maps?stack=1&item=2", folder.write("a.npy", npy("3, 4, 5", false, 60)),
        folder.write("b.npy", npy("2, 1, 3, 10", false, 60)) + "?stack=1&item=1",
        folder.write("f.npy", npy("3, 4, 5", true, 60)), folder.write("a.csv", "1,2\n3,4\n5,6") + "?spacing=0.5",
        std::string("synthetic:phantom?n=5&item=1&count=2")}) {
    const MeasureData whole = read_measure(source);
    const Index all = whole.support.grid()->axes[0].n, plane = whole.support.points() / all;
    for (Index first = 0; first <= all; ++first) {
      for (Index last = first; last <= all; ++last) {
        const MeasureData part = read_planes(source, {first, last});
        EXPECT_EQ(part.values,
                  std::vector<Real>(whole.values.begin() + first * plane, whole.values.begin() + last * plane))
            << source;
        EXPECT_EQ(pack(*part.support.grid()), pack(*whole.support.grid()));
        EXPECT_EQ(part.name, whole.name);
      }
    }
    EXPECT_TRUE(read_planes(source, {0, all + 1}).values.empty());
  }
  const std::string cut = folder.write("cut.nii", bytes_of(folder / "a.nii").substr(0, 500));
  EXPECT_THAT(error_of([&] { read_planes(cut, {0, 1}); }), HasSubstr("cut short"));
  const std::string cut_gz = folder.write("cut.nii.gz", bytes_of(folder / "a.nii.gz").substr(0, 100));
  EXPECT_THAT(error_of([&] { read_planes(cut_gz, {2, 3}); }), HasSubstr("cut short"));
}

TEST(ReadGrid, EqualsTheGridOfTheValues) {
  const Folder folder("grids");
  Grid volume = make_grid({3, 4, 5}, {2.0, 2.5, 3.0});
  volume.affine = Affine{{{3, 0, 0, -1}, {0, 2.5, 0, 2}, {0, 0, 2, 5}}};
  write_nifti(folder / "a.nii.gz", volume, std::vector<Real>(60, 1.0));
  Hdf5Writer writer(folder / "a.h5");
  writer.dataset("/maps", Array{{3, 2, 2}, std::vector<Real>(12, 1.0)});
  writer.close();
  const std::string idx = folder.write("t-images-idx3-ubyte", idx_images());
  for (const std::string& source :
       {folder / "a.nii.gz", folder / "a.h5:/maps", folder / "a.h5:/maps?stack=1&item=1&spacing=2", idx + "?item=0",
        folder.write("a.npy", npy("2, 1, 2", false, 4)), folder.write("a.csv", "1,2\n3,4\n5,6") + "?spacing=0.5",
        folder.write("a.pgm", "P2 1 2 5 0 1"), std::string("synthetic:phantom?n=5&item=0&spacing=1x2x3")}) {
    EXPECT_EQ(pack(read_grid(source)), pack(*read_measure(source).support.grid())) << source;
  }
}

TEST(ReadGrid, NeedsTheHeaderAlone) {
  const Folder folder("headers");
  write_nifti(folder / "whole.nii", make_grid({20, 20}, {1.0, 1.0}), std::vector<Real>(400, 1.0));
  const std::string cut = folder.write("cut.nii", bytes_of(folder / "whole.nii").substr(0, 400));
  EXPECT_EQ(read_grid(cut).describe(), "20 x 20, spacing 1 x 1");
  EXPECT_THAT(read_error(cut), HasSubstr("cut short"));
  EXPECT_THAT(error_of([&] { read_grid(folder / "none.nii"); }), HasSubstr("no such file"));
  EXPECT_THAT(error_of([&] { read_grid("synthetic:nonesuch"); }), HasSubstr("no family"));
}

TEST(ReadMeasure, RealVolumesAreReadByGlob) {
  const std::string one = data_file("volumes/pet/5HT1a_way_hc36_savli.nii.gz");
  if (one.empty()) GTEST_SKIP() << "no data";
  const auto texts = expand_measures(one.substr(0, one.rfind('/')) + "/*.nii.gz");
  ASSERT_EQ(texts.size(), 6u);
  const MeasureData first = read_measure(texts[0]), last = read_measure(texts[5]);
  EXPECT_EQ(support_mismatch(first.support, last.support), "");
  EXPECT_EQ(first.name, texts[0]);
}

TEST(ShapeOfRows, IsThatOfAnyNumberOfValuesButNotOfPointsBeyondAnInt) {
  const Folder folder("many_points");
  const auto sparse = [&](const std::string& name, const std::string& shape, std::uintmax_t values) {
    const std::string bytes = npy(shape, false, 0);
    const std::string path = folder.write(name, bytes);
    std::filesystem::resize_file(path, bytes.size() + values * sizeof(double));
    return path + "?as=points";
  };
  EXPECT_THAT(shape_of_rows(sparse("values.npy", "1000000000, 3", 3'000'000'000)), ElementsAre(1'000'000'000, 3));
  const std::string many = sparse("points.npy", "3000000000, 1", 3'000'000'000);
  EXPECT_THAT(error_of([&] { shape_of_rows(many); }), AllOf(HasSubstr("3000000000 points"), HasSubstr("at most")));
}

TEST(ReadMeasure, RowsOrVoxelsArePointsWhereTheSourceSaysSo) {
  const Folder folder("as");
  const std::string csv = folder.write("a.csv", "0,1,5\n0,3,0\n");
  EXPECT_FALSE(is_cloud(csv));
  EXPECT_TRUE(is_cloud(csv + "?as=points"));
  const MeasureData points = read_measure(csv + "?as=points");
  EXPECT_EQ(points.support.describe(), "2 points in 3 dimensions");
  EXPECT_THAT(points.values, ElementsAre(1, 1));
  const MeasureData weighted = read_measure(csv + "?as=points&weights=last");
  EXPECT_EQ(weighted.support.describe(), "2 points in 2 dimensions");
  EXPECT_THAT(weighted.values, ElementsAre(5, 0));
  const MeasureData voxels = read_measure(csv + "?as=voxels&spacing=2");
  EXPECT_THAT(*voxels.support.cloud()->coordinates, ElementsAre(0, 2, 0, 4, 2, 2));  // y, x in Morton order
  EXPECT_THAT(voxels.values, ElementsAre(1, 5, 3));
  EXPECT_THAT(read_error(csv + "?as=cloud"), HasSubstr("not one of points, voxels, colors, grid"));
  EXPECT_THAT(read_error(csv + "?weights=last"), HasSubstr("add as=points"));
  EXPECT_THAT(read_error(folder.write("a.obj", "v 1 2 3\n") + "?as=voxels"), HasSubstr("no grid"));
}

}  // namespace
