#include "hpot/io/image.hpp"

#include "io/files.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <zlib.h>

#include <numeric>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

enum PngColour { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgb_alpha = 6 };

std::string big_endian(std::uint32_t value) {
  std::string bytes(4, '\0');
  for (int b = 0; b < 4; ++b) bytes[static_cast<std::size_t>(b)] = static_cast<char>(value >> (24 - 8 * b));
  return bytes;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(crc));
}

/// `scanlines` as PNG filters them: each row begins with its filter's number.
std::string png(std::uint32_t width, std::uint32_t height, int depth, PngColour colour, const std::string& scanlines,
                const std::string& extra_chunks = {}, bool interlaced = false) {
  uLongf size = compressBound(static_cast<uLong>(scanlines.size()));
  std::string data(size, '\0');
  compress(reinterpret_cast<Bytef*>(data.data()), &size, reinterpret_cast<const Bytef*>(scanlines.data()),
           static_cast<uLong>(scanlines.size()));
  data.resize(size);
  const std::string header = big_endian(width) + big_endian(height) + static_cast<char>(depth) +
                             static_cast<char>(colour) + std::string(2, '\0') + (interlaced ? '\1' : '\0');
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + extra_chunks + chunk("IDAT", data) + chunk("IEND", "");
}

std::string bytes(const std::vector<int>& values) { return {values.begin(), values.end()}; }

TEST(Png, EveryDepthOfGreyIsScaledToOne) {
  const Folder folder("png_depths");
  const auto read = [&](int depth, const std::vector<int>& row) {
    std::vector<int> scanline = row;
    scanline.insert(scanline.begin(), 0);
    return read_image(folder.write("a.png", png(2, 1, depth, grey, bytes(scanline)))).values;
  };
  EXPECT_THAT(read(1, {0x40}), ElementsAre(0.0, 1.0));
  EXPECT_THAT(read(2, {0x90}), ElementsAre(DoubleEq(2.0 / 3), DoubleEq(1.0 / 3)));
  EXPECT_THAT(read(4, {0x3f}), ElementsAre(DoubleEq(0.2), 1.0));
  EXPECT_THAT(read(8, {51, 255}), ElementsAre(DoubleEq(0.2), 1.0));
  EXPECT_THAT(read(16, {0x01, 0x02, 0xff, 0xff}), ElementsAre(DoubleEq(258.0 / 65535), 1.0));
}

TEST(Png, ChannelsAreChosenByName) {
  const Folder folder("png_channels");
  const std::string path = folder.write("a.png", png(1, 1, 8, rgb_alpha, bytes({0, 255, 51, 0, 102})));
  const auto value = [&](const std::string& channel) { return read_image(path, channel).values[0]; };
  EXPECT_DOUBLE_EQ(value("r"), 1.0);
  EXPECT_DOUBLE_EQ(value("g"), 0.2);
  EXPECT_DOUBLE_EQ(value("b"), 0.0);
  EXPECT_DOUBLE_EQ(value("a"), 0.4);
  EXPECT_DOUBLE_EQ(value("luminance"), 0.299 + 0.587 * 0.2);
  EXPECT_DOUBLE_EQ(read_image(path, "g", true).values[0], 0.8);
  EXPECT_THAT(error_of([&] { read_image(path, "h"); }), HasSubstr("channel = h (unknown channel) [known: r, g, b, a"));
  EXPECT_NE(error_of([&] { read_image(path, ""); }), "");
}

TEST(Png, PaletteAndTransparencyAreExpanded) {
  const Folder folder("png_palette");
  const std::string colours = chunk("PLTE", bytes({255, 0, 0, 0, 51, 0}));
  const std::string opaque = folder.write("a.png", png(2, 1, 1, palette, bytes({0, 0x40}), colours));
  EXPECT_THAT(read_image(opaque, "r").values, ElementsAre(1.0, 0.0));
  EXPECT_THAT(read_image(opaque, "g").values, ElementsAre(0.0, DoubleEq(0.2)));
  EXPECT_THAT(error_of([&] { read_image(opaque, "a"); }), HasSubstr("no alpha channel"));

  const std::string transparent =
      folder.write("b.png", png(2, 1, 1, palette, bytes({0, 0x40}), colours + chunk("tRNS", bytes({102}))));
  EXPECT_THAT(read_image(transparent, "a").values, ElementsAre(DoubleEq(0.4), 1.0));
}

TEST(Png, GreyWithAlphaKeepsThemApart) {
  const Folder folder("png_grey_alpha");
  const std::string path = folder.write("a.png", png(1, 1, 16, grey_alpha, bytes({0, 0x33, 0x33, 0x66, 0x66})));
  EXPECT_DOUBLE_EQ(read_image(path).values[0], 0.2);
  EXPECT_DOUBLE_EQ(read_image(path, "b").values[0], 0.2);
  EXPECT_DOUBLE_EQ(read_image(path, "a").values[0], 0.4);
}

TEST(Png, InterlacedImagesAreReadInOrder) {
  const Folder folder("png_interlaced");
  const std::string path = folder.write("a.png", png(2, 2, 8, grey, bytes({0, 0, 0, 51, 0, 102, 153}), {}, true));
  EXPECT_THAT(read_image(path).values, ElementsAre(0.0, DoubleEq(0.2), DoubleEq(0.4), DoubleEq(0.6)));
}

TEST(Png, CutDamagedAndAbsurdFilesAreInputErrors) {
  const Folder folder("png_bad");
  const std::string whole = png(4, 4, 8, grey, bytes({0, 9, 8, 7, 6, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4}));
  const auto error = [&](const std::string& content) {
    const std::string path = folder.write("a.png", content);
    return error_of([&] { read_image(path); });
  };
  ASSERT_EQ(error(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_NE(error(whole.substr(0, size)), "") << size;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    (void)error(damaged);  // an InputError or a harmless difference, never a crash
  }
  EXPECT_THAT(error(png(900000, 900000, 16, rgb_alpha, bytes({0}))), HasSubstr("more than the file can hold"));
  EXPECT_THAT(error(png(900000, 900000, 16, rgb_alpha, bytes({0}), {}, true)),
              HasSubstr("more than the file can hold"));
  EXPECT_THAT(error_of([&] { read_image(folder / "none.png"); }), HasSubstr("no such file"));
}

TEST(Png, PixelsThatAreNotThereTakeNoMemory) {
  const Folder folder("png_claims");
  const std::string bulk = chunk("prVt", std::string(60000, '\1'));  // makes the claim of 20000 x 20000 bits believable
  const std::string colours = chunk("PLTE", bytes({1, 2, 3})) + chunk("tRNS", "\1");
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;  // MiB
  };
  const auto before = peak();
  for (const bool interlaced : {false, true}) {
    const std::string path =
        folder.write("a.png", png(20000, 20000, 1, palette, bytes({0, 0}), colours + bulk, interlaced));
    EXPECT_THAT(error_of([&] { read_image(path); }), HasSubstr("cut short or damaged"));
  }
  EXPECT_LT(peak() - before, 200);  // unpacked: 1.6 GB
}

TEST(Pgm, TextAndBytesOfBothDepthsAreRead) {
  const Folder folder("pgm");
  const auto read = [&](const std::string& content) {
    const GridData data = read_image(folder.write("a.pgm", content));
    EXPECT_EQ(data.grid.describe(), "2 x 1, spacing 1 x 1");
    return data.values;
  };
  EXPECT_THAT(read("P2 # a comment\n2 # 99\n1\n5 0 1"), ElementsAre(0.0, DoubleEq(0.2)));
  EXPECT_THAT(read("P5\n# a comment\n2 1\n255\n" + bytes({51, 255})), ElementsAre(DoubleEq(0.2), 1.0));
  EXPECT_THAT(read("P5 2 1 65535\n" + bytes({0x33, 0x33, 0xff, 0xff})), ElementsAre(DoubleEq(0.2), 1.0));
  EXPECT_THAT(read("P5 2 1 255\n" + bytes({'#', '\n'})), ElementsAre(DoubleEq(35.0 / 255), DoubleEq(10.0 / 255)));
}

TEST(Pgm, BadFilesAreInputErrors) {
  const Folder folder("pgm_bad");
  const auto error = [&](const std::string& content, const std::string& channel = "luminance") {
    const std::string path = folder.write("a.pgm", content);
    return error_of([&] { read_image(path, channel); });
  };
  EXPECT_THAT(error("P5 2 1 255\n1"), HasSubstr("cut short"));
  EXPECT_THAT(error("P5 2 1 65535\n123"), HasSubstr("cut short"));
  EXPECT_THAT(error("P2 2 1 255 1"), HasSubstr("cut short"));
  EXPECT_THAT(error("P2 2"), HasSubstr("cut short"));
  EXPECT_THAT(error("P2 2 1 5 6 1"), HasSubstr("a pixel of 6 above the maximal value 5"));
  EXPECT_THAT(error("P2 2 1 5 x 1"), HasSubstr("no number"));
  EXPECT_THAT(error("P5 16777216 16777216 255\n12"), HasSubstr("cut short"));
  EXPECT_THAT(error("P5 99999999999999999999 1 255\n12"), HasSubstr("no number"));
  EXPECT_THAT(error("P5 2 1 65536\n1212"), HasSubstr("maximal value"));
  EXPECT_THAT(error("P5 0 1 255\n"), HasSubstr("is 0"));
  EXPECT_THAT(error("P6 1 1 255\n123"), HasSubstr("not a PGM"));
  EXPECT_THAT(error("P5 2 1 255\n12", "a"), HasSubstr("no alpha channel"));
}

TEST(Png, WrittenRastersAreReadBackAndFailuresLeaveNothing) {
  const Folder folder("png_write");
  const Raster raster{2, 1, {255, 0, 51, 0, 102, 255}};
  write_png(folder / "a b%.png", raster);
  EXPECT_THAT(read_image(folder / "a b%.png", "b").values, ElementsAre(DoubleEq(0.2), 1.0));
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_THAT(error_of([&] { write_png(folder / "none/a.png", raster); }), HasSubstr("cannot be written"));
  EXPECT_THAT(error_of([&] { write_png(folder / "b.png", Raster{3, 1, {1, 2, 3}}); }), HasSubstr("no picture"));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Png, RealSilhouetteHasTheKnownSum) {
  const std::string path = data_file("images/pot_shapes/duck.png");
  if (path.empty()) GTEST_SKIP() << "no data";
  const GridData data = read_image(path, "r");
  EXPECT_EQ(data.grid.describe(), "128 x 128, spacing 1 x 1");
  EXPECT_NEAR(std::accumulate(data.values.begin(), data.values.end(), 0.0), 2500967.0 / 255.0, 1e-9);
  EXPECT_EQ(data.values[64 * 128 + 64], 0.0);
}

}  // namespace
