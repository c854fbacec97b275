// JPEG pictures, written here by libjpeg itself; and colours of pictures as points.
#include "hpot/io/cloud_file.hpp"
#include "hpot/io/image.hpp"
#include "hpot/io/measure_file.hpp"

#include "io/files.hpp"

#include <gmock/gmock.h>

#include <cstdio>  // jpeglib.h needs it

#include <jpeglib.h>

namespace {

using namespace hpot;
using namespace hpot::test;
using testing::AllOf;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;

struct Kind {
  int components = 3;
  J_COLOR_SPACE colors = JCS_RGB;
  bool progressive = false;
};

/// `samples`, row by row, at quality 98 and full resolution of colour.
std::string jpeg(unsigned width, unsigned height, std::vector<std::uint8_t> samples, Kind kind = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = width;
  info.image_height = height;
  info.input_components = kind.components;
  info.in_color_space = kind.colors;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 98, TRUE);
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  if (kind.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < height) {
    JSAMPROW row = &samples[std::size_t{info.next_scanline} * width * static_cast<unsigned>(kind.components)];
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(buffer), size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

constexpr unsigned width = 21, height = 17;

/// Smooth, in all components.
std::vector<std::uint8_t> gradient(int components) {
  std::vector<std::uint8_t> samples;
  for (unsigned y = 0; y < height; ++y) {
    for (unsigned x = 0; x < width; ++x) {
      for (int c = 0; c < components; ++c)
        samples.push_back(static_cast<std::uint8_t>(c == 0 ? 40 + 8 * x : c == 1 ? 20 + 12 * y : 230 - 4 * x - 5 * y));
    }
  }
  return samples;
}

std::string error(const std::string& content) {
  const Folder folder("jpeg_bad");
  const std::string path = folder.write("a.jpg", content);
  return error_of([&] { read_image(path); });
}

TEST(Jpeg, BaselineAndProgressivePicturesAreReadAsTheyWere) {
  const Folder folder("jpeg");
  const auto samples = gradient(3);
  for (const bool progressive : {false, true}) {
    const std::string path = folder.write("a.JPG", jpeg(width, height, samples, {3, JCS_RGB, progressive}));
    const Raster raster = read_raster(path);
    EXPECT_EQ(raster.width, width);
    EXPECT_EQ(raster.height, height);
    ASSERT_EQ(raster.rgb.size(), samples.size());
    for (std::size_t k = 0; k < samples.size(); ++k) EXPECT_NEAR(raster.rgb[k], samples[k], 3) << k;
    const GridData green = read_image(path, "g"), rest = read_image(path, "luminance", true);
    EXPECT_EQ(green.grid.describe(), "21 x 17, spacing 1 x 1");
    for (std::size_t k = 0; k < green.values.size(); ++k) {
      EXPECT_DOUBLE_EQ(green.values[k], raster.rgb[3 * k + 1] / 255.0);
      const Real luminance = 0.299 * raster.rgb[3 * k] + 0.587 * raster.rgb[3 * k + 1] + 0.114 * raster.rgb[3 * k + 2];
      EXPECT_NEAR(rest.values[k], 1.0 - luminance / 255.0, 1e-12);
    }
    EXPECT_THAT(error_of([&] { read_image(path, "a"); }), HasSubstr("no alpha channel"));
  }
}

TEST(Jpeg, GreyPicturesAreTheSameInEveryChannel) {
  const Folder folder("jpeg_grey");
  const auto samples = gradient(1);
  const std::string path = folder.write("a.jpeg", jpeg(width, height, samples, {1, JCS_GRAYSCALE}));
  const auto red = read_image(path, "r").values, luminance = read_image(path).values;
  ASSERT_EQ(red.size(), samples.size());
  for (std::size_t k = 0; k < samples.size(); ++k) {
    EXPECT_NEAR(red[k], samples[k] / 255.0, 3.0 / 255.0);
    EXPECT_NEAR(red[k], luminance[k], 1e-12);
  }
  EXPECT_EQ(read_measure(path + "?spacing=2x3").support.grid()->describe(), "21 x 17, spacing 2 x 3");
}

TEST(Jpeg, CutAndDamagedFilesAreInputErrorsOrHarmless) {
  for (const bool progressive : {false, true}) {
    const std::string whole = jpeg(width, height, gradient(3), {3, JCS_RGB, progressive});
    ASSERT_EQ(error(whole), "");
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_THAT(error(whole.substr(0, size)), HasSubstr("a.jpg")) << size;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
      (void)error(damaged);
    }
  }
}

TEST(Jpeg, ForeignFilesAndAbsurdSizesAreInputErrors) {
  const std::string whole = jpeg(width, height, gradient(3));
  EXPECT_THAT(error("words"), AllOf(HasSubstr("a.jpg"), HasSubstr("not a readable JPEG picture: Not a JPEG file")));
  EXPECT_THAT(error("\x89PNG\r\n\x1a\n"), HasSubstr("not a readable JPEG picture"));
  EXPECT_THAT(error(jpeg(width, height, gradient(4), {4, JCS_CMYK})), HasSubstr("4 components, as for print (CMYK)"));
  std::string huge = whole;
  const std::size_t frame = whole.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  huge.replace(frame + 5, 4, "\xff\x00\xff\x00", 4);
  EXPECT_THAT(error(huge), HasSubstr("65280 x 65280 pixels, more than the file can hold"));
  huge.replace(frame + 5, 4, "\xff\xff\xff\xff", 4);
  EXPECT_THAT(error(huge), HasSubstr("Maximum supported image dimension"));
  EXPECT_THAT(error_of([] { read_raster("none.jpg"); }), HasSubstr("none.jpg"));
}

TEST(Colors, OfAPngAreItsPixelsInTheUnitCube) {
  const Folder folder("colors");
  const std::string path = folder / "a.png";
  write_png(path, {3, 1, {255, 0, 51, 0, 102, 255, 255, 0, 51}});
  EXPECT_EQ(read_raster(path).rgb, (std::vector<std::uint8_t>{255, 0, 51, 0, 102, 255, 255, 0, 51}));
  const MeasureData data = read_measure(path + "?as=colors");
  EXPECT_TRUE(is_cloud(path + "?as=colors"));
  EXPECT_THAT(data.values, ElementsAre(1.0, 1.0, 1.0));
  const PointCloud& cloud = *data.support.cloud();
  EXPECT_EQ(cloud.dimension, 3);
  EXPECT_THAT(in_input_order(cloud, *cloud.coordinates, 3),
              ElementsAre(1.0, 0.0, DoubleEq(0.2), 0.0, DoubleEq(0.4), 1.0, 1.0, 0.0, DoubleEq(0.2)));
  EXPECT_TRUE(is_colors(path + "?as=colors&pixels=2"));
  EXPECT_EQ(picture_of_colors(path + "?as=colors&pixels=2").rgb, read_raster(path).rgb);
  EXPECT_FALSE(is_colors(path));
}

TEST(Colors, AreTakenOnceFromEveryPartOfThePicture) {
  Raster picture{50, 40, {}};
  for (int pixel = 0; pixel < 2000; ++pixel) {
    for (const int sample : {pixel % 50, pixel / 50, 0}) picture.rgb.push_back(static_cast<std::uint8_t>(sample));
  }
  const CloudData all = colors_of(picture, 5000, "all");
  ASSERT_EQ(all.cloud.points(), 2000);
  for (Index p = 0; p < 2000; ++p) EXPECT_DOUBLE_EQ(255.0 * all.cloud.at(p, 0), static_cast<Real>(p % 50));

  const CloudData some = colors_of(picture, 200, "some");
  ASSERT_EQ(some.cloud.points(), 200);
  std::vector<int> columns(5, 0), rows(5, 0);
  for (Index p = 0; p < 200; ++p) {
    ++columns[static_cast<std::size_t>(255.0 * some.cloud.at(p, 0) / 10.0 + 1e-9)];
    ++rows[static_cast<std::size_t>(255.0 * some.cloud.at(p, 1) / 8.0 + 1e-9)];
  }
  EXPECT_THAT(rows, testing::Each(40));
  for (const int count : columns) EXPECT_NEAR(count, 40, 4);
}

TEST(Colors, WhatHasNoneIsRefused) {
  const Folder folder("colors_bad");
  const std::string png = folder / "a.png", pgm = folder.write("a.pgm", "P2 1 1 9 5");
  write_png(png, {1, 1, {1, 2, 3}});
  const auto refused = [](const std::string& text) { return error_of([&] { read_measure(text); }); };
  EXPECT_THAT(refused(pgm + "?as=colors"), HasSubstr("as = colors (PGM images have no colours) [give a .png"));
  EXPECT_THAT(refused(folder.write("a.csv", "1,2") + "?as=colors"), HasSubstr("tables have no colours"));
  EXPECT_THAT(refused(png + "?pixels=5"), HasSubstr("pixels = 5 (it thins out colours) [add as=colors"));
  EXPECT_THAT(refused(png + "?as=colors&pixels=0"), HasSubstr("pixels = 0"));
  EXPECT_THAT(refused(png + "?as=colors&channel=r"), HasSubstr("channel = r (colours are all three channels"));
  EXPECT_THAT(refused(png + "?as=colours"), HasSubstr("not one of points, voxels, colors, grid"));
}

}  // namespace
