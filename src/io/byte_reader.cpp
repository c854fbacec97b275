#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace hpot {

namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 17;
constexpr std::uint64_t deflate_ratio = 1032;  // no deflate stream expands more

}  // namespace

bool has_ending(const std::string& name, const std::string& ending) {
  return name.size() >= ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), name.rbegin(), [](char want, char got) {
           return want == static_cast<char>(std::tolower(static_cast<unsigned char>(got)));
         });
}

struct ByteReader::Stream {
  std::FILE* plain = nullptr;
  gzFile zipped = nullptr;
  ~Stream() {
    if (plain != nullptr) std::fclose(plain);
    if (zipped != nullptr) gzclose_r(zipped);
  }
};

ByteReader::ByteReader(const std::string& path) : path_(path), stream_(std::make_unique<Stream>()) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  require(std::filesystem::exists(status), path, "no such file", "check the name and the working directory");
  require(std::filesystem::is_regular_file(status), path, "not a regular file", "name a file");
  const std::uint64_t size = std::filesystem::file_size(path, error);
  require(!error, path, "its size cannot be had: " + error.message());
  if (has_ending(path, ".gz")) {
    stream_->zipped = gzopen(path.c_str(), "rb");
    most_bytes_ = size > UINT64_MAX / deflate_ratio ? UINT64_MAX : size * deflate_ratio;
  } else {
    stream_->plain = std::fopen(path.c_str(), "rb");
    most_bytes_ = size;
  }
  require(stream_->plain != nullptr || stream_->zipped != nullptr, path,
          "cannot be opened: " + std::string(std::strerror(errno)));
}

ByteReader::~ByteReader() = default;

std::size_t ByteReader::read(void* buffer, std::size_t bytes) {
  if (stream_->plain != nullptr) {
    const std::size_t got = std::fread(buffer, 1, bytes, stream_->plain);
    require(got == bytes || std::ferror(stream_->plain) == 0, path_,
            "cannot be read: " + std::string(std::strerror(errno)));
    return got;
  }
  std::size_t done = 0;
  while (done < bytes) {
    const auto part = static_cast<unsigned>(std::min(bytes - done, chunk_bytes));
    const int got = gzread(stream_->zipped, static_cast<char*>(buffer) + done, part);
    int code = Z_OK;
    const char* message = gzerror(stream_->zipped, &code);
    require(got >= 0 || code == Z_BUF_ERROR, path_, "damaged gzip data: " + std::string(message), "get the file anew");
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void ByteReader::read_all(void* buffer, std::size_t bytes, const std::string& what) {
  const std::size_t got = read(buffer, bytes);
  require(got == bytes, path_, "cut short: it ends within its " + what, "get the file anew");
}

void ByteReader::skip(std::uint64_t bytes, const std::string& what) {
  std::vector<char> chunk(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, chunk_bytes)));
  while (bytes > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, chunk.size()));
    read_all(chunk.data(), part, what);
    bytes -= part;
  }
}

std::string ByteReader::rest() {
  std::string text;
  for (std::size_t got = chunk_bytes; got == chunk_bytes;) {
    const std::size_t begin = text.size();
    text.resize(begin + chunk_bytes);
    got = read(text.data() + begin, chunk_bytes);
    text.resize(begin + got);
  }
  if (stream_->zipped != nullptr) {
    int code = Z_OK;
    gzerror(stream_->zipped, &code);
    require(code != Z_BUF_ERROR, path_, "cut short: its gzip data has no end", "get the file anew");
  }
  return text;
}

void ByteReader::verify_checksum() {
  if (stream_->zipped == nullptr) return;
  std::vector<char> chunk(chunk_bytes);
  while (read(chunk.data(), chunk.size()) == chunk.size()) {
  }
}

void ByteReader::require_room(std::uint64_t offset, std::uint64_t items, std::uint64_t size,
                              const std::string& what) const {
  std::uint64_t bytes = 0;
  const bool fits = !__builtin_mul_overflow(items, size, &bytes) && !__builtin_add_overflow(bytes, offset, &bytes) &&
                    bytes <= most_bytes_;
  require(fits, path_,
          "cut short, or its header is wrong: it claims " + std::to_string(items) + " " + what + " of " +
              std::to_string(size) + " bytes, more than the file can hold",
          "get the file anew");
}

std::size_t size_of(Number number) {
  switch (number) {
    case Number::int8:
    case Number::uint8:
      return 1;
    case Number::int16:
    case Number::uint16:
      return 2;
    case Number::int32:
    case Number::uint32:
    case Number::float32:
      return 4;
    case Number::int64:
    case Number::uint64:
    case Number::float64:
      return 8;
  }
  return 0;
}

namespace {

/// Signalling NaNs would trap when converted: any NaN bit pattern becomes the quiet one.
template <class Bits, class Float>
Real real_from_bits(Bits bits, Bits exponent, Bits fraction) {
  if ((bits & exponent) == exponent && (bits & fraction) != 0) return std::numeric_limits<Real>::quiet_NaN();
  return static_cast<Real>(std::bit_cast<Float>(bits));
}

template <class T>
void append(const std::vector<unsigned char>& bytes, std::size_t count, bool swap, std::vector<Real>& values) {
  for (std::size_t i = 0; i < count; ++i) {
    std::array<unsigned char, sizeof(T)> one;
    std::memcpy(one.data(), bytes.data() + i * sizeof(T), sizeof(T));
    if (swap) std::reverse(one.begin(), one.end());
    if constexpr (std::is_same_v<T, float>) {
      values.push_back(real_from_bits<std::uint32_t, float>(std::bit_cast<std::uint32_t>(one), 0x7f800000u, 0x7fffffu));
    } else if constexpr (std::is_same_v<T, double>) {
      values.push_back(real_from_bits<std::uint64_t, double>(std::bit_cast<std::uint64_t>(one), 0x7ff0000000000000u,
                                                             0xfffffffffffffu));
    } else {
      values.push_back(static_cast<Real>(std::bit_cast<T>(one)));
    }
  }
}

void append(Number number, const std::vector<unsigned char>& bytes, std::size_t count, bool swap,
            std::vector<Real>& values) {
  switch (number) {
    case Number::int8:
      return append<std::int8_t>(bytes, count, swap, values);
    case Number::uint8:
      return append<std::uint8_t>(bytes, count, swap, values);
    case Number::int16:
      return append<std::int16_t>(bytes, count, swap, values);
    case Number::uint16:
      return append<std::uint16_t>(bytes, count, swap, values);
    case Number::int32:
      return append<std::int32_t>(bytes, count, swap, values);
    case Number::uint32:
      return append<std::uint32_t>(bytes, count, swap, values);
    case Number::int64:
      return append<std::int64_t>(bytes, count, swap, values);
    case Number::uint64:
      return append<std::uint64_t>(bytes, count, swap, values);
    case Number::float32:
      return append<float>(bytes, count, swap, values);
    case Number::float64:
      return append<double>(bytes, count, swap, values);
  }
}

}  // namespace

std::vector<Real> read_numbers(ByteReader& reader, Number number, bool swap, Index count, const std::string& what) {
  const std::size_t size = size_of(number);
  reader.require_room(0, static_cast<std::uint64_t>(count), size, what);
  // Compressed data may still end early: where it would have to be packed more tightly than real data are, let the vector
  // grow with what is really there.
  const bool zipped = has_ending(reader.path(), ".gz");
  auto left = static_cast<std::size_t>(count);
  const std::size_t believed = std::max<std::size_t>(16 * chunk_bytes, reader.most_bytes() / (8 * size));
  std::vector<Real> values;
  values.reserve(zipped ? std::min(left, believed) : left);
  std::vector<unsigned char> chunk(std::min(left * size, chunk_bytes));
  while (left > 0) {
    const std::size_t part = std::min(left, chunk_bytes / size);
    reader.read_all(chunk.data(), part * size, what);
    append(number, chunk, part, swap, values);
    left -= part;
  }
  return values;
}

void reject_infinite(const std::vector<Real>& values, const std::string& path) {
  // By bits: g++ vectorises std::isinf into comparisons that raise FE_INVALID on a NaN.
  const auto infinite = std::count_if(values.begin(), values.end(), [](Real value) {
    return (std::bit_cast<std::uint64_t>(value) & 0x7fffffffffffffffu) == 0x7ff0000000000000u;
  });
  require(infinite == 0, path, std::to_string(infinite) + " infinite values",
          "replace them by numbers, or by NaN where there is no data");
}

}  // namespace hpot
