// A PNG holds a checksum in every chunk and one more in its compressed pixels: blind changes end there. So the pixels
// are changed unpacked, or a chunk is, and the checksums are made to fit.
#include "fuzz.hpp"

#include <zlib.h>

#include <algorithm>

namespace hpot::fuzz {
namespace {

constexpr std::size_t signature = 8, header = 8, checksum = 4;
constexpr std::size_t most_unpacked = 1 << 16;

std::uint32_t word_at(const std::string& bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 4; ++i) word = (word << 8) | static_cast<unsigned char>(bytes[at + i]);
  return word;
}

std::string word(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

struct Chunk {
  std::string type_and_data;
};

std::vector<Chunk> chunks_of(const std::string& png) {
  std::vector<Chunk> chunks;
  for (std::size_t at = signature; at + header <= png.size();) {
    const std::size_t size = std::min<std::size_t>(word_at(png, at), png.size() - at - header);
    chunks.push_back({png.substr(at + 4, 4 + size)});
    at += header + size + checksum;
  }
  return chunks;
}

std::string packed(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string result(size, '\0');
  compress2(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(),
            1);
  result.resize(size);
  return result;
}

std::string unpacked(const std::string& bytes) {
  uLongf size = most_unpacked;
  std::string result(size, '\0');
  const int code = uncompress(reinterpret_cast<Bytef*>(result.data()), &size,
                              reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  result.resize(code == Z_OK ? size : 0);
  return result;
}

}  // namespace

void mutate_png(std::string& input, std::size_t most_bytes, unsigned seed) {
  std::vector<Chunk> chunks = input.size() > signature ? chunks_of(input) : std::vector<Chunk>{};
  if (chunks.empty() || seed % 8 == 0) return mutate_bytes(input, most_bytes);
  std::string& chosen = chunks[seed / 8 % chunks.size()].type_and_data;
  std::string content = chosen.substr(4);
  if (chosen.starts_with("IDAT") && seed % 2 == 0) {
    content = unpacked(content);
    mutate_bytes(content, most_bytes);
    content = packed(content);
  } else {
    mutate_bytes(content, content.size() + 16);
  }
  chosen.replace(4, std::string::npos, content);
  input.resize(signature);
  for (const auto& [bytes] : chunks) {
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
    input += word(static_cast<std::uint32_t>(bytes.size() - 4)) + bytes + word(static_cast<std::uint32_t>(sum));
  }
}

}  // namespace hpot::fuzz
