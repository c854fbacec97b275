#include "hpot/io/freesurfer.hpp"

#include "byte_reader.hpp"

#include "hpot/core/error.hpp"

#include <bit>
#include <cstdio>
#include <memory>

namespace hpot {
namespace {

constexpr bool swapped = std::endian::native == std::endian::little;
constexpr std::uint32_t surface_mark = 0xFFFFFE, map_mark = 0xFFFFFF;

std::uint32_t three_bytes(const unsigned char* bytes) { return bytes[0] << 16 | bytes[1] << 8 | bytes[2]; }

std::uint32_t read_mark(ByteReader& reader) {
  unsigned char bytes[3];
  reader.read_all(bytes, sizeof bytes, "its first bytes");
  return three_bytes(bytes);
}

/// Lines of comment, of which the last is empty.
void skip_comment(ByteReader& reader) {
  constexpr int longest = 1 << 16;
  char before = 0, letter = 0;
  for (int n = 0; n < longest; ++n) {
    reader.read_all(&letter, 1, "its comment");
    if (letter == '\n' && before == '\n') return;
    before = letter;
  }
  require(false, reader.path(), "its comment does not end", "check what kind of file it is");
}

std::vector<Index> read_counts(ByteReader& reader, Index count) {
  std::vector<Index> counts;
  for (const Real number : read_numbers(reader, Number::int32, swapped, count, "its sizes")) {
    require(number >= 0.0, reader.path(), "damaged: a negative size", "get the file anew");
    counts.push_back(static_cast<Index>(number));
  }
  return counts;
}

}  // namespace

FreeSurferKind freesurfer_kind(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  unsigned char bytes[3];
  if (file == nullptr || std::fread(bytes, 1, sizeof bytes, file.get()) != sizeof bytes) return FreeSurferKind::none;
  const std::uint32_t mark = three_bytes(bytes);
  if (mark == surface_mark) return FreeSurferKind::surface;
  return mark == map_mark ? FreeSurferKind::map : FreeSurferKind::none;
}

MeshData read_freesurfer_surface(const std::string& path) {
  constexpr std::uint64_t of_vertex = 12, of_triangle = 12;
  ByteReader reader(path);
  require(read_mark(reader) == surface_mark, path, "no triangle file of FreeSurfer",
          "convert quadrangle files by mris_convert");
  skip_comment(reader);
  const std::vector<Index> counts = read_counts(reader, 2);
  reader.require_room(0, static_cast<std::uint64_t>(counts[0]), of_vertex, "vertices");
  reader.require_room(0, static_cast<std::uint64_t>(counts[1]), of_triangle, "triangles");
  MeshData mesh;
  mesh.name = path;
  mesh.coordinates = read_numbers(reader, Number::float32, swapped, 3 * counts[0], "vertices");
  for (const Real v : read_numbers(reader, Number::int32, swapped, 3 * counts[1], "triangles"))
    mesh.triangles.push_back(static_cast<Index>(v));
  return mesh;
}

std::vector<Real> read_freesurfer_map(const std::string& path) {
  ByteReader reader(path);
  require(read_mark(reader) == map_mark, path, "no map of FreeSurfer's new format", "convert it by mris_convert");
  const std::vector<Index> counts = read_counts(reader, 3);  // vertices, triangles, values a vertex
  require(counts[2] == 1, path, std::to_string(counts[2]) + " values a vertex", "write a file for each");
  reader.require_room(0, static_cast<std::uint64_t>(counts[0]), sizeof(float), "values");
  require(counts[0] > 0, path, "a map of no vertices", "get the file anew");
  std::vector<Real> values = read_numbers(reader, Number::float32, swapped, counts[0], "values");
  reject_infinite(values, path);
  return values;
}

}  // namespace hpot
