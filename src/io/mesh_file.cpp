#include "hpot/io/mesh_file.hpp"

#include "byte_reader.hpp"
#include "measure_source.hpp"

#include "hpot/core/error.hpp"
#include "hpot/io/freesurfer.hpp"
#include "hpot/io/gifti.hpp"
#include "hpot/io/measure_file.hpp"
#include "hpot/measure/synthetic_surface.hpp"

namespace hpot {
namespace {

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = list.find(',', begin);
    const std::string part = list.substr(begin, end == std::string::npos ? end : end - begin);
    const auto first = part.find_first_not_of(" \t");
    if (first != std::string::npos) names.push_back(part.substr(first, part.find_last_not_of(" \t") - first + 1));
  }
  require(!names.empty(), "input.mesh", "the list is empty", "name a surface");
  return names;
}

/// What rank 0 reads, in numbers: how many coordinates and corners there are, these, then what the mask keeps.
std::vector<Real> read_packed(const std::vector<std::string>& names, const std::string& mask) {
  std::vector<MeshData> parts;
  for (const std::string& name : names) parts.push_back(read_mesh(name));
  const MeshData data = joined(std::move(parts));
  std::vector<Real> packed{static_cast<Real>(data.coordinates.size()), static_cast<Real>(data.triangles.size())};
  packed.insert(packed.end(), data.coordinates.begin(), data.coordinates.end());
  packed.insert(packed.end(), data.triangles.begin(), data.triangles.end());
  if (mask.empty()) return packed;
  const MeasureData keep = read_measure(mask);
  require(3 * keep.values.size() == data.coordinates.size(), mask,
          std::to_string(keep.values.size()) + " values, and the surface " + data.name + " has " +
              std::to_string(data.coordinates.size() / 3) + " vertices",
          "give a value for every vertex");
  packed.insert(packed.end(), keep.values.begin(), keep.values.end());
  return packed;
}

}  // namespace

MeshData read_mesh(const std::string& text) {
  if (text.starts_with(synthetic_prefix)) {
    const std::string family = text.substr(synthetic_prefix.size());
    require(is_synthetic_surface(family), text, "no surface", "take synthetic:sphere?subdivisions=5");
    return synthetic_surface(family);
  }
  if (has_ending(text, ".gii") || has_ending(text, ".gii.gz")) return read_gifti_mesh(text);
  const ByteReader there(text);
  const FreeSurferKind kind = freesurfer_kind(text);
  require(kind != FreeSurferKind::none, text, "neither a GIfTI file nor a surface of FreeSurfer",
          "known: .gii, .gii.gz, FreeSurfer's triangle files, synthetic:sphere");
  return read_freesurfer_surface(text);
}

Mesh read_surface(const Communicator& world, const std::string& list, const std::string& mask) {
  std::vector<Real> packed;
  world.agree([&] {
    if (world.rank() == 0) packed = read_packed(names_of(list), mask);
  });
  world.broadcast(packed);
  Mesh mesh;
  world.agree([&] {
    const auto coordinates = packed.begin() + 2;
    const auto corners = coordinates + static_cast<Index>(packed[0]);
    const auto kept = corners + static_cast<Index>(packed[1]);
    mesh = make_mesh({{coordinates, corners}, {corners, kept}, list}, {kept, packed.end()});
  });
  if (!mask.empty()) mesh.name += ", within " + mask;
  return mesh;
}

}  // namespace hpot
