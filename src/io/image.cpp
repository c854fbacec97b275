#include "hpot/io/image.hpp"

#include "byte_reader.hpp"
#include "jpeg.hpp"
#include "pgm.hpp"
#include "temporary_file.hpp"

#include "hpot/core/error.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace hpot {

namespace {

constexpr std::uintmax_t deflate_ratio = 1032;  // no deflate stream expands more

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct Message {
  std::array<char, 256> text{};
};

void png_failed(png_structp png, png_const_charp message) {
  std::snprintf(static_cast<Message*>(png_get_error_ptr(png))->text.data(), 256, "%s", message);
  png_longjmp(png, 1);
}
void png_warned(png_structp, png_const_charp) {}

/// libpng leaves a failed call by longjmp, which must not cross destructors: all that owns memory lives in these
/// structs, and the functions that call setjmp have no local object with a destructor.
struct PngReader {
  Message message;
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message, png_failed, png_warned);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  Index width = 0, height = 0, stored_row_bytes = 0, row_bytes = 0;
  int channels = 0, depth = 0, passes = 1;
  std::vector<png_byte> pixels;
  std::vector<png_bytep> rows;
  PngReader() = default;
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct PngWriter {
  Message message;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message, png_failed, png_warned);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

bool read_png_header(PngReader& reader, std::FILE* file) {
  if (reader.info == nullptr || setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_init_io(reader.png, file);
  png_read_info(reader.png, reader.info);
  reader.stored_row_bytes = static_cast<Index>(png_get_rowbytes(reader.png, reader.info));
  png_set_expand(reader.png);  // palette to RGB, 1, 2 and 4 bit to 8, transparency to alpha
  reader.passes = png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  reader.width = png_get_image_width(reader.png, reader.info);
  reader.height = png_get_image_height(reader.png, reader.info);
  reader.channels = png_get_channels(reader.png, reader.info);
  reader.depth = png_get_bit_depth(reader.png, reader.info);
  reader.row_bytes = static_cast<Index>(png_get_rowbytes(reader.png, reader.info));
  return true;
}

/// Into `rows`, or, where it is empty, over and over into the one row of `pixels`.
bool read_png_rows(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  if (!reader.rows.empty()) {
    png_read_image(reader.png, reader.rows.data());
  } else {
    for (int pass = 0; pass < reader.passes; ++pass) {
      for (Index y = 0; y < reader.height; ++y) png_read_row(reader.png, reader.pixels.data(), nullptr);
    }
  }
  png_read_end(reader.png, nullptr);
  return true;
}

bool write_png_rows(PngWriter& writer, std::FILE* file, const Raster& raster) {
  if (writer.info == nullptr || setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_init_io(writer.png, file);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(raster.width), static_cast<png_uint_32>(raster.height),
               8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (Index y = 0; y < raster.height; ++y) png_write_row(writer.png, raster.rgb.data() + 3 * raster.width * y);
  png_write_end(writer.png, nullptr);
  return true;
}

void read_header(PngReader& reader, std::FILE* file, const std::string& path) {
  const bool readable = read_png_header(reader, file);  // before its message is looked at
  require(readable, path, "not a readable PNG image: " + std::string(reader.message.text.data()), "check the file");
}

void read_rows(PngReader& reader, const std::string& path) {
  const bool whole = read_png_rows(reader);
  require(whole, path, "cut short or damaged: " + std::string(reader.message.text.data()), "get the file anew");
}

/// A header can claim a thousand times more than the file holds, and unpacked that is up to 32 times more again: a first
/// reading, row by row, sees whether it is all there before memory is taken.
void read_pixels(PngReader& reader, const std::string& path) {
  std::error_code error;
  require(std::filesystem::is_regular_file(path, error), path, "no such file",
          "check the name and the working directory");
  const File file(std::fopen(path.c_str(), "rb"));
  require(file != nullptr, path, "cannot be opened: " + std::string(std::strerror(errno)));
  {
    PngReader first;
    read_header(first, file.get(), path);
    const std::uintmax_t claimed = static_cast<std::uintmax_t>(first.stored_row_bytes) * first.height;
    require(claimed / deflate_ratio <= std::filesystem::file_size(path, error) && !error, path,
            "cut short, or its header is wrong: it claims " + std::to_string(first.width) + " x " +
                std::to_string(first.height) + " pixels, more than the file can hold",
            "get the file anew");
    first.pixels.resize(static_cast<std::size_t>(first.row_bytes));
    read_rows(first, path);
  }
  std::rewind(file.get());
  read_header(reader, file.get(), path);
  reader.pixels.resize(static_cast<std::size_t>(reader.row_bytes * reader.height));
  for (Index y = 0; y < reader.height; ++y) reader.rows.push_back(reader.pixels.data() + y * reader.row_bytes);
  read_rows(reader, path);
}

/// Factors of the stored channels (grey, grey alpha, RGB, RGB alpha) in the wanted value.
std::array<Real, 4> channel_factors(const std::string& channel, int channels, const std::string& path) {
  const bool grey = channels <= 2, alpha = channels == 2 || channels == 4;
  const std::string where = path + ": channel = " + channel;
  std::array<Real, 4> factors{};
  if (channel == "a") {
    require(alpha, where, "the image has no alpha channel", "choose r, g, b or luminance");
    factors[static_cast<std::size_t>(channels - 1)] = 1.0;
    return factors;
  }
  if (channel == "luminance") return grey ? std::array<Real, 4>{1.0} : std::array<Real, 4>{0.299, 0.587, 0.114};
  const auto colour = std::string("rgb").find(channel);
  require(channel.size() == 1 && colour != std::string::npos, where, "unknown channel", "known: r, g, b, a, luminance");
  factors[grey ? 0 : colour] = 1.0;
  return factors;
}

GridData jpeg_channel(const std::string& path, const std::string& channel) {
  constexpr Real highest = 255.0;
  const auto factors = channel_factors(channel, 3, path);
  const Raster raster = read_jpeg(path);
  GridData data;
  data.grid = make_grid({raster.height, raster.width}, {1.0});
  data.values.reserve(raster.rgb.size() / 3);
  for (std::size_t at = 0; at < raster.rgb.size(); at += 3) {
    Real value = 0.0;
    for (std::size_t c = 0; c < 3; ++c) value += factors[c] * raster.rgb[at + c];
    data.values.push_back(std::min(value / highest, 1.0));
  }
  data.name = path;
  return data;
}

Raster read_png(const std::string& path) {
  constexpr int wide = 257;  // 65535 / 255
  PngReader reader;
  read_pixels(reader, path);
  const bool grey = reader.channels <= 2;
  const int bytes = reader.depth / 8;
  Raster raster{reader.width, reader.height, {}};
  raster.rgb.reserve(static_cast<std::size_t>(3 * reader.width * reader.height));
  for (const png_byte* row : reader.rows) {
    for (Index x = 0; x < reader.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const png_byte* sample = row + (x * reader.channels + (grey ? 0 : c)) * bytes;
        raster.rgb.push_back(bytes == 2 ? (256 * sample[0] + sample[1] + wide / 2) / wide : sample[0]);
      }
    }
  }
  return raster;
}

bool is_jpeg(const std::string& path) { return has_ending(path, ".jpg") || has_ending(path, ".jpeg"); }

GridData read_png(const std::string& path, const std::string& channel) {
  PngReader reader;
  read_pixels(reader, path);
  const auto factors = channel_factors(channel, reader.channels, path);
  const Real highest = reader.depth == 16 ? 65535.0 : 255.0;
  const int bytes = reader.depth / 8;
  GridData data;
  data.grid = make_grid({reader.height, reader.width}, {1.0});
  data.values.reserve(static_cast<std::size_t>(reader.width * reader.height));
  for (const png_byte* row : reader.rows) {
    for (Index x = 0; x < reader.width; ++x) {
      Real value = 0.0;
      for (int c = 0; c < reader.channels; ++c) {
        const png_byte* sample = row + (x * reader.channels + c) * bytes;
        value += factors[static_cast<std::size_t>(c)] * (bytes == 2 ? 256 * sample[0] + sample[1] : sample[0]);
      }
      data.values.push_back(std::min(value / highest, 1.0));
    }
  }
  data.name = path;
  return data;
}

}  // namespace

GridData read_image(const std::string& path, const std::string& channel, bool invert) {
  GridData data;
  if (has_ending(path, ".pgm")) {
    channel_factors(channel, 1, path);
    data = read_pgm(path);
  } else {
    data = is_jpeg(path) ? jpeg_channel(path, channel) : read_png(path, channel);
  }
  if (invert) {
    for (Real& value : data.values) value = 1.0 - value;
  }
  return data;
}

Raster read_raster(const std::string& path) { return is_jpeg(path) ? read_jpeg(path) : read_png(path); }

void write_png(const std::string& path, const Raster& raster) {
  require(raster.width > 0 && raster.height > 0 && raster.width <= 1000000 && raster.height <= 1000000 &&
              static_cast<Index>(raster.rgb.size()) == 3 * raster.width * raster.height,
          path,
          "a raster of " + std::to_string(raster.width) + " x " + std::to_string(raster.height) + " is no picture");
  TemporaryFile temporary(path);
  errno = 0;
  const auto why = [] { return std::string(errno != 0 ? std::strerror(errno) : "the write failed"); };
  File file(std::fopen(temporary.name().c_str(), "wb"));
  if (file == nullptr) temporary.fail(why());
  PngWriter writer;
  if (!write_png_rows(writer, file.get(), raster)) temporary.fail(errno != 0 ? why() : writer.message.text.data());
  if (std::fclose(file.release()) != 0) temporary.fail(why());
  temporary.commit();
}

}  // namespace hpot
