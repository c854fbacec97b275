#include "hpot/io/csv.hpp"
#include "hpot/io/idx.hpp"
#include "hpot/io/npy.hpp"

#include "io/files.hpp"
#include "io/nifti_files.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::ElementsAre;
using testing::HasSubstr;

std::string csv_error(const std::string& content) {
  const Folder folder("csv_error");
  const std::string path = folder.write("t.csv", content);
  return error_of([&] { read_csv(path); });
}

TEST(Csv, AnySeparatorHeaderCommentsAndLineEndsAreUnderstood) {
  const Folder folder("csv");
  for (const char* content : {"1,2\n3,4\n", "1;2\r\n3;4", "1\t2\n\n3\t 4\n", "  1   2 \n3 4", "a,b\n1,2\n3,4",
                              "# about\n1,2 # first\n3,+4e0", "\xef\xbb\xbf\"x\";\"y\"\n1;2\n3;4\n"}) {
    const Array table = read_csv(folder.write("t.csv", content));
    EXPECT_THAT(table.shape, ElementsAre(2, 2)) << content;
    EXPECT_THAT(table.values, ElementsAre(1, 2, 3, 4)) << content;
  }
}

TEST(Csv, KeepsNanAndDoesNotTrapOnTinyNumbers) {
  const Folder folder("csv_nan");
  const Array table = read_csv(folder.write("t.csv", "nan,NaN,1e-999,-2.5e-308\n"));
  EXPECT_TRUE(std::isnan(table.values[0]) && std::isnan(table.values[1]));
  EXPECT_EQ(table.values[2], 0.0);
  EXPECT_EQ(table.values[3], -2.5e-308);
}

TEST(Csv, ErrorsNameTheLine) {
  EXPECT_THAT(csv_error("1,2\n3,x\n"), HasSubstr("t.csv:2 ('x' is no number)"));
  EXPECT_THAT(csv_error("# c\n\n1,2\n3\n"), HasSubstr("t.csv:4 (1 numbers where the rows above have 2)"));
  EXPECT_THAT(csv_error("1,2\n3,\n"), HasSubstr("t.csv:2 (an empty field)"));
  EXPECT_THAT(csv_error("1,5;2,5\n"), HasSubstr("[check the file]"));
  EXPECT_THAT(csv_error("1;2\n1,5;2\n"), HasSubstr("t.csv:2 ('1,5' is no number) [write decimals with a point]"));
  EXPECT_THAT(csv_error("1,x\n2,3\n"), HasSubstr("t.csv:1 ('x' is no number)"));
  EXPECT_THAT(csv_error("a,b\nc,d\n"), HasSubstr("t.csv:2 ('c' is no number)"));
  EXPECT_THAT(csv_error("0x10\n"), HasSubstr("holds no numbers"));
  EXPECT_THAT(csv_error("1\n1 2 3 %n\n"), HasSubstr("t.csv:2"));
  EXPECT_THAT(csv_error(""), HasSubstr("holds no numbers"));
}

std::string npy(const std::string& descr, const std::string& order, const std::string& shape, const std::string& data,
                char version = 1) {
  const std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string length = {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) length += std::string(2, '\0');
  return std::string("\x93NUMPY") + version + '\0' + length + header + data;
}

std::string npy_error(const std::string& content) {
  const Folder folder("npy_error");
  const std::string path = folder.write("a.npy", content);
  return error_of([&] { read_npy(path); });
}

template <class T>
void expect_npy_type(const std::string& type, const std::vector<T>& values) {
  const Folder folder("npy_type");
  for (const bool big_endian : {false, true}) {
    const std::string descr = (sizeof(T) == 1 ? "|" : big_endian ? ">" : "<") + type;
    const std::string content = npy(descr, "False", "(2,)", numbers_bytes(values, big_endian));
    EXPECT_EQ(read_npy(folder.write("a.npy", content)).values, std::vector<Real>(values.begin(), values.end()))
        << descr;
  }
}

TEST(Npy, EveryRealTypeIsReadInBothByteOrders) {
  expect_npy_type<std::uint8_t>("b1", {0, 1});
  expect_npy_type<std::int8_t>("i1", {-3, 4});
  expect_npy_type<std::uint8_t>("u1", {3, 255});
  expect_npy_type<std::int16_t>("i2", {-300, 4});
  expect_npy_type<std::uint16_t>("u2", {3, 65535});
  expect_npy_type<std::int32_t>("i4", {-70000, 4});
  expect_npy_type<std::uint32_t>("u4", {3, 4294967295u});
  expect_npy_type<std::int64_t>("i8", {-(std::int64_t{1} << 40), 4});
  expect_npy_type<std::uint64_t>("u8", {3, std::uint64_t{1} << 63});
  expect_npy_type<float>("f4", {-1.5f, 1e30f});
  expect_npy_type<double>("f8", {-1e300, 1e-300});
}

TEST(Npy, FortranOrderAndVersionTwoGiveTheSameArray) {
  const Folder folder("npy_order");
  const Array rows = read_npy(folder.write("a.npy", npy("|u1", "False", "(2, 1, 3)", {1, 2, 3, 4, 5, 6}, 2)));
  const Array columns = read_npy(folder.write("b.npy", npy("|u1", "True", "(2, 1, 3)", {1, 4, 2, 5, 3, 6})));
  EXPECT_THAT(rows.shape, ElementsAre(2, 1, 3));
  EXPECT_EQ(columns.shape, rows.shape);
  EXPECT_EQ(columns.values, rows.values);
  EXPECT_EQ(read_npy_shape(folder / "b.npy"), rows.shape);
}

TEST(Npy, BadFilesAreInputErrors) {
  const std::string whole = npy("|u1", "False", "(2,)", {1, 2});
  ASSERT_EQ(npy_error(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(npy_error(whole.substr(0, size)), "") << size;
  EXPECT_THAT(npy_error(npy("<f8", "False", "(4,)", std::string(31, '\0'))), HasSubstr("cut short"));
  EXPECT_THAT(npy_error(npy("<f8", "False", "(9999999999, 9999999999)", "")), HasSubstr("shape cannot be read"));
  EXPECT_THAT(npy_error(npy("<f8", "False", "(99999999, 9999999)", "")), HasSubstr("more than the file can hold"));
  EXPECT_THAT(npy_error(npy("<f8", "False", "(-1,)", "")), HasSubstr("shape cannot be read"));
  EXPECT_THAT(npy_error(npy("<f8", "False", "(0, 3)", "")), HasSubstr("without elements"));
  EXPECT_THAT(npy_error(npy("<c8", "False", "(1,)", std::string(8, '\0'))),
              HasSubstr("dtype = <c8 (not an array of real"));
  EXPECT_THAT(npy_error(npy("", "False", "(1,)", "")), HasSubstr("dtype"));
  EXPECT_THAT(npy_error("hello"), HasSubstr("not a .npy file"));
}

std::string idx_images(int count, const std::string& pixels) {
  return {std::string("\0\0\x8\x3\0\0\0", 7) + static_cast<char>(count) + std::string("\0\0\0\1\0\0\0\2", 8) + pixels};
}
std::string idx_labels(const std::string& labels) {
  return std::string("\0\0\x8\x1\0\0\0", 7) + static_cast<char>(labels.size()) + labels;
}

TEST(Idx, ItemsCountWithinTheLabel) {
  const Folder folder("idx");
  const std::string path = folder.write("t-images-idx3-ubyte", idx_images(3, {1, 2, 3, 4, 5, 6}));
  (void)folder.write("t-labels-idx1-ubyte", idx_labels({7, 8, 7}));
  EXPECT_EQ(idx_count(path, {}), 3);
  EXPECT_EQ(idx_count(path, {7}), 2);
  EXPECT_THAT(read_idx(path, {}, 1).values, ElementsAre(3, 4));
  EXPECT_THAT(read_idx(path, {7}, 1).values, ElementsAre(5, 6));
  EXPECT_EQ(read_idx(path, {7}, 1).grid.describe(), "2 x 1, spacing 1 x 1");
  EXPECT_THAT(error_of([&] { read_idx(path, {7}, 2); }), HasSubstr("item = 2 (there are 2 images)"));
  EXPECT_THAT(error_of([&] { read_idx(path, {9}, 0); }), HasSubstr("label = 9 (no image bears it)"));
}

TEST(Idx, BadFilesAreInputErrors) {
  const Folder folder("idx_bad");
  const auto error = [&](const std::string& content, const std::string& labels, int label) {
    const std::string path = folder.write("t-images-idx3-ubyte", content);
    (void)folder.write("t-labels-idx1-ubyte", labels);
    return error_of([&] { read_idx(path, {label}, 0); });
  };
  const std::string images = idx_images(2, {1, 2, 3, 4});
  EXPECT_THAT(error(idx_images(3, {1, 2, 3, 4}), "", -1), HasSubstr("cut short"));
  EXPECT_THAT(error(images.substr(0, 10), "", -1), HasSubstr("cut short"));
  EXPECT_THAT(error(idx_labels({1, 2}), "", -1), HasSubstr("not an IDX file of byte images"));
  EXPECT_THAT(error(std::string("\0\0\x8\x3", 4) + std::string(12, '\xff'), "", -1), HasSubstr("more than the file"));
  EXPECT_THAT(error(idx_images(0, ""), "", -1), HasSubstr("no pixels"));
  EXPECT_THAT(error(images, idx_labels({1, 1, 1}), 1), HasSubstr("3 labels for 2 images"));
  EXPECT_THAT(error(images, images, 1), HasSubstr("not an IDX file of byte labels"));
  const std::string other = folder.write("digits.idx", images);
  EXPECT_THAT(error_of([&] { idx_count(other, {1}); }), HasSubstr("whose name cannot be told"));
}

TEST(Idx, MnistThreesAreFound) {
  const std::string path = data_file("images/mnist/t10k-images-idx3-ubyte.gz");
  if (path.empty()) GTEST_SKIP() << "no data";
  const auto sum = [](const GridData& data) { return std::accumulate(data.values.begin(), data.values.end(), 0.0); };
  EXPECT_EQ(idx_count(path, {3}), 1010);
  EXPECT_EQ(sum(read_idx(path, {3}, 7)), 17979.0);
  EXPECT_EQ(sum(read_idx(path, {}, 9999)), 41833.0);
}

TEST(Csv, DotmarkImageHasTheKnownMass) {
  const std::string path = data_file("images/dotmark/data32_1001.csv");
  if (path.empty()) GTEST_SKIP() << "no data";
  const Array image = read_csv(path);
  EXPECT_THAT(image.shape, ElementsAre(32, 32));
  EXPECT_EQ(std::accumulate(image.values.begin(), image.values.end(), 0.0), 102400000.0);
  EXPECT_EQ(image.values[34], 135725.0);
}

}  // namespace
