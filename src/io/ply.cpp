// PLY [Turk 1994]: a header of text, then the elements' rows, ascii or binary. A row is scalars and lists, a list its
// length and then its items.
#include "byte_reader.hpp"
#include "cloud_checks.hpp"
#include "text_lines.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/cloud_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace hpot {

namespace {

struct Property {
  Number type;
  std::optional<Number> length;  // of lists
  int axis = -1;                 // 0, 1, 2 of the vertices' x, y, z
};

struct Element {
  std::string name;
  Index count = 0;
  std::vector<Property> properties;
};

struct Header {
  std::string format;
  std::vector<Element> elements;
};

bool is_vertex(const Element& element) { return element.name == "vertex"; }

Number type_of(std::string_view name, const TextLines& lines) {
  static const std::map<std::string_view, Number> known{
      {"char", Number::int8},       {"int8", Number::int8},       {"uchar", Number::uint8},
      {"uint8", Number::uint8},     {"short", Number::int16},     {"int16", Number::int16},
      {"ushort", Number::uint16},   {"uint16", Number::uint16},   {"int", Number::int32},
      {"int32", Number::int32},     {"uint", Number::uint32},     {"uint32", Number::uint32},
      {"float", Number::float32},   {"float32", Number::float32}, {"double", Number::float64},
      {"float64", Number::float64}, {"int64", Number::int64},     {"uint64", Number::uint64}};
  const auto type = known.find(name);
  if (type == known.end()) {
    lines.reject("unknown type " + quoted(name), "known: char, uchar, short, ushort, int, uint, float, double");
  }
  return type->second;
}

/// What follows the word `property`.
Property parse_property(TextLines& lines, const Element& element) {
  Property property{};
  std::string_view type = lines.word();
  if (type == "list") {
    property.length = type_of(lines.word(), lines);
    if (*property.length == Number::float32 || *property.length == Number::float64) {
      lines.reject("a list whose length is no integer", "check the file");
    }
    type = lines.word();
  }
  property.type = type_of(type, lines);
  const std::string_view name = lines.word();
  if (name.empty()) lines.reject("a property without a name", "check the file");
  const auto axis = std::string_view("xyz").find(name);
  if (!is_vertex(element) || property.length || name.size() != 1 || axis == std::string_view::npos) return property;
  property.axis = static_cast<int>(axis);
  for (const Property& other : element.properties) {
    if (other.axis == property.axis) lines.reject("a second property " + std::string(name), "check the file");
  }
  return property;
}

std::string parse_format(TextLines& lines) {
  std::string format(lines.word());
  if (format != "ascii" && format != "binary_little_endian" && format != "binary_big_endian") {
    lines.reject("unknown format " + quoted(format), "known: ascii, binary_little_endian, binary_big_endian");
  }
  if (lines.word() != "1.0") lines.reject("not version 1.0 of PLY", "save it anew");
  return format;
}

Header parse_header(TextLines& lines, const std::string& path) {
  require(lines.next() && lines.line().starts_with("ply") && lines.word() == "ply" && lines.line().empty(), path,
          "not a PLY file: its first line is not 'ply'", "check its name");
  Header header;
  while (true) {
    require(lines.next_filled(false), path, "cut short: its header has no end_header", "get the file anew");
    const std::string_view keyword = lines.word();
    if (keyword == "end_header") break;
    if (keyword == "comment" || keyword == "obj_info") continue;
    if (keyword == "format") {
      header.format = parse_format(lines);
    } else if (keyword == "element") {
      const std::string name(lines.word());
      header.elements.push_back({name, lines.count("number of elements"), {}});
    } else if (keyword == "property") {
      if (header.elements.empty()) lines.reject("a property before all elements", "check the file");
      header.elements.back().properties.push_back(parse_property(lines, header.elements.back()));
    } else {
      lines.reject("unknown keyword " + quoted(keyword),
                   "known: format, comment, obj_info, element, property, end_header");
    }
  }
  require(!header.format.empty(), path, "its header has no line 'format'", "save it anew");
  const auto vertices = std::count_if(header.elements.begin(), header.elements.end(), is_vertex);
  require(vertices == 1, path, vertices == 0 ? "it has no element vertex" : "it has several elements vertex",
          "points are the vertices' x, y and z");
  const Element& vertex = *std::find_if(header.elements.begin(), header.elements.end(), is_vertex);
  for (int axis = 0; axis < 3; ++axis) {
    const auto is_axis = [axis](const Property& property) { return property.axis == axis; };
    require(std::any_of(vertex.properties.begin(), vertex.properties.end(), is_axis), path,
            std::string("its vertices have no property ") + "xyz"[axis], "points are the vertices' x, y and z");
  }
  return header;
}

[[noreturn]] void reject_cut(const Element& element, const std::string& path) {
  throw InputError(
      error_text(path, {}, {}, "cut short: it ends within its elements " + quoted(element.name), "get the file anew"));
}

/// One row a line. Words and numbers of a line too short are refused by TextLines.
class AsciiRows {
 public:
  AsciiRows(const TextLines& lines, const std::string& path) : lines_(lines), path_(path) {}

  static std::size_t least_bytes(const Property&) { return 2; }  // a digit and what ends it
  [[nodiscard]] std::size_t bytes_left() const { return lines_.rest().size() + 1; }

  void begin_row(const Element& element) {
    if (!lines_.next_filled(false)) reject_cut(element, path_);
  }
  Real number(Number) { return lines_.number(); }
  void skip(const Property& property) {
    for (Index left = property.length ? lines_.count("length of a list") : 1; left > 0; --left) {
      if (lines_.word().empty()) lines_.reject("fewer numbers than its header says", "check the file");
    }
  }
  void end_row() {
    if (!lines_.line().empty()) lines_.reject("more numbers than its header says", "check the file");
  }

 private:
  TextLines lines_;
  const std::string& path_;
};

class BinaryRows {
 public:
  BinaryRows(std::string_view bytes, bool swap, const std::string& path) : bytes_(bytes), swap_(swap), path_(path) {}

  static std::size_t least_bytes(const Property& property) { return size_of(property.length.value_or(property.type)); }
  [[nodiscard]] std::size_t bytes_left() const { return bytes_.size(); }

  void begin_row(const Element& element) { element_ = &element; }
  Real number(Number type) {
    switch (type) {
      case Number::int8:
        return static_cast<Real>(take<std::int8_t>());
      case Number::uint8:
        return static_cast<Real>(take<std::uint8_t>());
      case Number::int16:
        return static_cast<Real>(take<std::int16_t>());
      case Number::uint16:
        return static_cast<Real>(take<std::uint16_t>());
      case Number::int32:
        return static_cast<Real>(take<std::int32_t>());
      case Number::uint32:
        return static_cast<Real>(take<std::uint32_t>());
      case Number::int64:
        return static_cast<Real>(take<std::int64_t>());
      case Number::uint64:
        return static_cast<Real>(take<std::uint64_t>());
      case Number::float32: {
        // A signalling NaN would trap when converted.
        const auto bits = take<std::uint32_t>();
        if ((bits & 0x7f800000u) == 0x7f800000u) return infinity;
        return static_cast<Real>(std::bit_cast<float>(bits));
      }
      case Number::float64:
        return take<double>();
    }
    return 0.0;
  }
  void skip(const Property& property) {
    const Real items = property.length ? number(*property.length) : 1.0;
    if (items < 0.0) {
      throw InputError(error_text(path_, {}, {}, "a list of negative length in its elements " + quoted(element_->name),
                                  "check the file"));
    }
    const Real size = items * static_cast<Real>(size_of(property.type));
    if (size > static_cast<Real>(bytes_.size())) reject_cut(*element_, path_);
    bytes_.remove_prefix(static_cast<std::size_t>(size));
  }
  void end_row() {}

 private:
  template <class T>
  T take() {
    if (sizeof(T) > bytes_.size()) reject_cut(*element_, path_);
    std::array<unsigned char, sizeof(T)> one;
    std::memcpy(one.data(), bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    if (swap_) std::reverse(one.begin(), one.end());
    return std::bit_cast<T>(one);
  }

  std::string_view bytes_;
  bool swap_;
  const std::string& path_;
  const Element* element_ = nullptr;
};

/// Coordinates of all vertices. The other elements' rows are gone through, so that a file cut short is noticed.
template <class Rows>
std::vector<Real> read_vertices(const std::vector<Element>& elements, Rows rows, const std::string& path) {
  std::vector<Real> coordinates;
  for (const Element& element : elements) {
    if (element.properties.empty()) continue;
    std::size_t least_bytes = 0;
    for (const Property& property : element.properties) least_bytes += Rows::least_bytes(property);
    require(static_cast<std::size_t>(element.count) <= rows.bytes_left() / least_bytes, path,
            "cut short, or its header is wrong: it claims " + std::to_string(element.count) + " elements " +
                quoted(element.name) + ", more than the file can hold",
            "get the file anew");
    if (is_vertex(element)) coordinates.reserve(3 * static_cast<std::size_t>(element.count));
    for (Index row = 0; row < element.count; ++row) {
      rows.begin_row(element);
      std::array<Real, 3> point{};
      for (const Property& property : element.properties) {
        if (property.axis < 0) {
          rows.skip(property);
        } else {
          point[static_cast<std::size_t>(property.axis)] = rows.number(property.type);
        }
      }
      rows.end_row();
      if (is_vertex(element)) coordinates.insert(coordinates.end(), point.begin(), point.end());
    }
  }
  return coordinates;
}

}  // namespace

CloudData read_ply(const std::string& path) {
  ByteReader reader(path);
  const std::string text = reader.rest();
  // The format's definition ends the header's lines by a carriage return, which few files do.
  const bool old = text.starts_with("ply\r") && !text.starts_with("ply\r\n");
  TextLines lines(text, path, old ? '\r' : '\n');
  const Header header = parse_header(lines, path);
  const bool little = std::endian::native == std::endian::little;
  const bool swap = header.format == (little ? "binary_big_endian" : "binary_little_endian");
  return checked_cloud(3,
                       header.format == "ascii"
                           ? read_vertices(header.elements, AsciiRows(lines, path), path)
                           : read_vertices(header.elements, BinaryRows(lines.rest(), swap, path), path),
                       path);
}

}  // namespace hpot
