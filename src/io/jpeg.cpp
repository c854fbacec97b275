#include "jpeg.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it

#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <utility>

namespace hpot {
namespace {

constexpr Index pixels_of_a_byte = 1024;  // no Huffman code holds more: a block of 8 x 8 takes a bit at least
constexpr int most_scans = 500;           // each goes through the whole picture

/// libjpeg would end the program where a call fails. Here it leaves by longjmp, which must not cross destructors: all that
/// owns memory lives in this struct, and the function that calls setjmp has no local object with a destructor.
struct JpegReader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf failed{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  std::vector<std::uint8_t> row;
  Raster raster;
  JpegReader() = default;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info); }
};

[[noreturn]] void jpeg_failed(j_common_ptr info) {
  auto& reader = *static_cast<JpegReader*>(info->client_data);
  reader.errors.format_message(info, reader.message.data());
  std::longjmp(reader.failed, 1);
}

/// Warnings end the reading: pixels are made up. But for those of what is no pixel.
void jpeg_warned(j_common_ptr info, int level) {
  const int code = info->err->msg_code;
  const bool harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
                        code == JWRN_NOT_SEQUENTIAL;
  if (level < 0 && !harmless) jpeg_failed(info);
}

void jpeg_progressed(j_common_ptr info) {
  auto& reader = *static_cast<JpegReader*>(info->client_data);
  if (reader.info.input_scan_number <= most_scans) return;
  std::snprintf(reader.message.data(), reader.message.size(), "more than %d scans", most_scans);
  std::longjmp(reader.failed, 1);
}

bool read_header(JpegReader& reader, const std::string& bytes) {
  reader.info.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = jpeg_failed;
  reader.errors.emit_message = jpeg_warned;
  reader.info.client_data = &reader;
  if (setjmp(reader.failed) != 0) return false;
  jpeg_create_decompress(&reader.info);
  reader.progress.progress_monitor = jpeg_progressed;
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())), bytes.size());
  jpeg_read_header(&reader.info, TRUE);
  reader.raster.width = reader.info.image_width;
  reader.raster.height = reader.info.image_height;
  return true;
}

/// Rows are appended, so that pixels which are not there take no memory: room that is reserved and not written costs none.
bool read_rows(JpegReader& reader) {
  if (setjmp(reader.failed) != 0) return false;
  reader.info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&reader.info);
  while (reader.info.output_scanline < reader.info.output_height) {
    JSAMPROW row = reader.row.data();
    jpeg_read_scanlines(&reader.info, &row, 1);
    reader.raster.rgb.insert(reader.raster.rgb.end(), reader.row.begin(), reader.row.end());
  }
  jpeg_finish_decompress(&reader.info);
  return true;
}

}  // namespace

Raster read_jpeg(const std::string& path) {
  const std::string bytes = ByteReader(path).rest();
  JpegReader reader;
  const bool readable = read_header(reader, bytes);  // before its message is looked at
  require(readable, path, "not a readable JPEG picture: " + std::string(reader.message.data()), "check the file");
  require(reader.info.num_components == 1 || reader.info.num_components == 3, path,
          "a JPEG picture of " + std::to_string(reader.info.num_components) + " components, as for print (CMYK)",
          "save it as RGB");
  require(reader.raster.width * reader.raster.height / pixels_of_a_byte <= static_cast<Index>(bytes.size()), path,
          "cut short, or its header is wrong: it claims " + std::to_string(reader.raster.width) + " x " +
              std::to_string(reader.raster.height) + " pixels, more than the file can hold",
          "get the file anew");
  reader.row.resize(static_cast<std::size_t>(3 * reader.raster.width));
  reader.raster.rgb.reserve(reader.row.size() * static_cast<std::size_t>(reader.raster.height));
  const bool whole = read_rows(reader);
  require(whole, path, "cut short or damaged: " + std::string(reader.message.data()), "get the file anew");
  return std::move(reader.raster);
}

}  // namespace hpot
