#include "hpot/io/npy.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>

namespace hpot {

namespace {

constexpr std::size_t longest_header = 1 << 16;
constexpr std::size_t most_dimensions = 32;

struct NpyHeader {
  Number number = Number::float64;
  bool swap = false;
  bool fortran = false;
  std::vector<Index> shape;
  Index count = 1;
  std::size_t bytes = 0;  // of the header itself
};

/// The text after `'key':`, where the header's dictionary has it.
std::string_view value_of(std::string_view text, const std::string& key, const std::string& path) {
  const auto at = text.find("'" + key + "'");
  const auto colon = at == std::string_view::npos ? at : text.find(':', at + key.size() + 2);
  require(colon != std::string_view::npos, path, "its header has no '" + key + "'", "save it anew with numpy.save");
  text.remove_prefix(colon + 1);
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

void parse_type(std::string_view text, const std::string& path, NpyHeader& header) {
  static const std::map<std::string_view, Number> known{
      {"b1", Number::uint8},  {"i1", Number::int8},    {"u1", Number::uint8},  {"i2", Number::int16},
      {"u2", Number::uint16}, {"i4", Number::int32},   {"u4", Number::uint32}, {"i8", Number::int64},
      {"u8", Number::uint64}, {"f4", Number::float32}, {"f8", Number::float64}};
  const auto end = text.starts_with('\'') ? text.find('\'', 1) : std::string_view::npos;
  const std::string_view name = end == std::string_view::npos ? text.substr(0, 20) : text.substr(1, end - 1);
  const auto type = end == std::string_view::npos || name.empty() ? known.end() : known.find(name.substr(1));
  require(type != known.end() && std::strchr("<>|=", name[0]) != nullptr, path + ": dtype = " + std::string(name),
          "not an array of real numbers", "save it as bool, int8 to int64, uint8 to uint64, float32 or float64");
  header.number = type->second;
  const bool little = std::endian::native == std::endian::little;
  header.swap = name[0] == (little ? '>' : '<');
}

void parse_shape(std::string_view text, const std::string& path, NpyHeader& header) {
  const std::string bad = "its header's shape cannot be read";
  const auto end = text.starts_with('(') ? text.find(')') : std::string_view::npos;
  require(end != std::string_view::npos, path, bad, "save it anew with numpy.save");
  const char* at = text.data() + 1;
  const char* const last = text.data() + end;
  while (at != last) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    Index n = 0;
    const auto [next, error] = std::from_chars(at, last, n);
    require(error == std::errc() && n >= 0 && header.shape.size() < most_dimensions, path, bad,
            "save it anew with numpy.save");
    require(n > 0, path, "an array without elements", "check what was saved");
    require(!__builtin_mul_overflow(header.count, n, &header.count), path, bad, "save it anew with numpy.save");
    header.shape.push_back(n);
    at = next;
  }
}

NpyHeader read_header(ByteReader& reader) {
  const std::string& path = reader.path();
  unsigned char start[8] = {};
  require(reader.read(start, 8) == 8 && std::memcmp(start, "\x93NUMPY", 6) == 0, path, "not a .npy file",
          "save it with numpy.save");
  require(start[6] >= 1 && start[6] <= 3, path, ".npy version " + std::to_string(start[6]) + " is not known",
          "save it with a version from 1 to 3");
  unsigned char bytes[4] = {};
  reader.read_all(bytes, start[6] == 1 ? 2 : 4, "header");
  const std::size_t length =
      bytes[0] + (std::size_t{bytes[1]} << 8) + (std::size_t{bytes[2]} << 16) + (std::size_t{bytes[3]} << 24);
  require(length <= longest_header, path, "its header claims " + std::to_string(length) + " bytes", "save it anew");
  std::string text(length, ' ');
  reader.read_all(text.data(), length, "header");
  NpyHeader header;
  header.bytes = (start[6] == 1 ? 10 : 12) + length;
  parse_type(value_of(text, "descr", path), path, header);
  header.fortran = value_of(text, "fortran_order", path).starts_with("True");
  parse_shape(value_of(text, "shape", path), path, header);
  return header;
}

/// Column-major values in row-major order.
std::vector<Real> transposed(const std::vector<Real>& values, const std::vector<Index>& shape) {
  std::vector<Real> result(values.size());
  std::vector<Index> index(shape.size(), 0);
  std::vector<Index> stride(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) stride[d] = stride[d - 1] * shape[d - 1];
  for (Real& value : result) {
    Index from = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) from += index[d] * stride[d];
    value = values[static_cast<std::size_t>(from)];
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return result;
}

}  // namespace

Array read_npy(const std::string& path) {
  ByteReader reader(path);
  const NpyHeader header = read_header(reader);
  Array array;
  array.shape = header.shape;
  array.values = read_numbers(reader, header.number, header.swap, header.count, "values");
  if (header.fortran && header.shape.size() > 1) array.values = transposed(array.values, header.shape);
  return array;
}

Array read_npy_items(const std::string& path, Range items) {
  ByteReader reader(path);
  const NpyHeader header = read_header(reader);
  const Index size = header.count / header.shape.front();
  Array array{header.shape, read_npy_values(path, {items.begin * size, items.end * size})};
  array.shape[0] = items.size();
  return array;
}

std::vector<Real> read_npy_values(const std::string& path, Range values) {
  ByteReader reader(path);
  const NpyHeader header = read_header(reader);
  require(values.end <= header.count, path, "it changes while it is read");
  if (header.fortran && header.shape.size() > 1) {
    const Array whole = read_npy(path);
    return {whole.values.begin() + values.begin, whole.values.begin() + values.end};
  }
  reader.require_room(header.bytes, static_cast<std::uint64_t>(header.count), size_of(header.number), "values");
  reader.skip(static_cast<std::uint64_t>(values.begin) * size_of(header.number), "values");
  return read_numbers(reader, header.number, header.swap, values.size(), "values");
}

std::vector<Index> read_npy_shape(const std::string& path, bool whole) {
  ByteReader reader(path);
  const NpyHeader header = read_header(reader);
  if (whole)
    reader.require_room(header.bytes, static_cast<std::uint64_t>(header.count), size_of(header.number), "values");
  return header.shape;
}

}  // namespace hpot
