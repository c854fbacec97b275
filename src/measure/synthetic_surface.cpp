#include "hpot/measure/synthetic_surface.hpp"

#include "synthetic_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

namespace hpot {
namespace {

using synthetic::Source;
using Vector = std::array<Real, 3>;

constexpr Index most_items = 1'000'000;

Source checked(const std::string& text) {
  Source source(text);
  source.check_keys({"count", "seed", "item"}, {"subdivisions", "radius", "blobs", "width"});
  return source;
}

int subdivisions_of(const Source& source) { return static_cast<int>(source.integer("subdivisions", 4, 0, 9)); }

Real number_of(const Source& source, const std::string& key, Real fallback, Real low, Real high) {
  return source.reals(key, 1, low, high).value_or(std::vector<Real>{fallback})[0];
}

Vector unit(Vector x) {
  const Real length = std::hypot(x[0], x[1], x[2]);
  for (Real& value : x) value /= length;
  return x;
}

Vector direction(RandomStream& stream) {
  const Real z = stream.uniform(-1.0, 1.0), angle = stream.uniform(0.0, 2.0 * std::numbers::pi);
  const Real r = std::sqrt(1.0 - z * z);
  return {r * std::cos(angle), r * std::sin(angle), z};
}

struct UnitSphere {
  std::vector<Vector> vertices;
  std::vector<std::array<Index, 3>> triangles;
};

UnitSphere icosahedron() {
  constexpr Real g = std::numbers::phi;
  UnitSphere sphere;
  for (const Vector& v : {Vector{-1, g, 0},
                          {1, g, 0},
                          {-1, -g, 0},
                          {1, -g, 0},
                          {0, -1, g},
                          {0, 1, g},
                          {0, -1, -g},
                          {0, 1, -g},
                          {g, 0, -1},
                          {g, 0, 1},
                          {-g, 0, -1},
                          {-g, 0, 1}})
    sphere.vertices.push_back(unit(v));
  sphere.triangles = {{0, 11, 5},  {0, 5, 1},  {0, 1, 7},  {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4},
                      {11, 10, 2}, {10, 7, 6}, {7, 1, 8},  {3, 9, 4},  {3, 4, 2},   {3, 2, 6}, {3, 6, 8},
                      {3, 8, 9},   {4, 9, 5},  {2, 4, 11}, {6, 2, 10}, {8, 6, 7},   {9, 8, 1}};
  return sphere;
}

/// New vertices in the order in which the triangles' edges first come.
void subdivide(UnitSphere& sphere) {
  std::map<std::pair<Index, Index>, Index> middles;
  const auto middle = [&](Index a, Index b) {
    const auto [place, is_new] = middles.try_emplace(std::minmax(a, b), static_cast<Index>(sphere.vertices.size()));
    if (is_new) {
      Vector sum{};
      for (int d = 0; d < 3; ++d) sum[d] = sphere.vertices[a][d] + sphere.vertices[b][d];
      sphere.vertices.push_back(unit(sum));
    }
    return place->second;
  };
  std::vector<std::array<Index, 3>> finer;
  for (const auto& [a, b, c] : sphere.triangles) {
    const Index ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
    finer.insert(finer.end(), {{a, ab, ca}, {b, bc, ab}, {c, ca, bc}, {ab, bc, ca}});
  }
  sphere.triangles = std::move(finer);
}

UnitSphere sphere_of(const Source& source) {
  UnitSphere sphere = icosahedron();
  for (int s = 0; s < subdivisions_of(source); ++s) subdivide(sphere);
  return sphere;
}

}  // namespace

bool is_synthetic_surface(const std::string& text) { return text.substr(0, text.find('?')) == "sphere"; }

Index synthetic_surface_count(const std::string& text) {
  const Source source = checked(text);
  const Index count = source.integer("count", 1, 1, most_items);
  return source.has("item") ? 1 : count;
}

Index synthetic_surface_vertices(const std::string& text) {
  constexpr int of_icosahedron = 10, quarters = 2;
  return of_icosahedron * (Index{1} << (quarters * subdivisions_of(checked(text)))) + 2;
}

MeshData synthetic_surface(const std::string& text) {
  const Source source = checked(text);
  const Real radius = number_of(source, "radius", 50.0, 1e-6, 1e6);
  MeshData data;
  data.name = "synthetic:" + text;
  const UnitSphere sphere = sphere_of(source);
  for (const Vector& v : sphere.vertices) {
    for (const Real x : v) data.coordinates.push_back(radius * x);
  }
  for (const auto& triangle : sphere.triangles)
    data.triangles.insert(data.triangles.end(), triangle.begin(), triangle.end());
  return data;
}

std::vector<Real> synthetic_surface_map(const std::string& text, Index item) {
  constexpr Index most_blobs = 1000;
  const Source source = checked(text);
  if (source.has("item")) {
    const Index count = source.has("count") ? source.integer("count", 1, 1, most_items) : most_items;
    item = source.integer("item", 0, 0, count - 1);
  }
  const Index blobs = source.integer("blobs", 2, 1, most_blobs);
  const Real width = number_of(source, "width", 0.25, 1e-3, 10.0);
  const Index seed = source.integer("seed", 0, 0, std::numeric_limits<Index>::max());
  RandomStream common(seed, "sphere/common", 0), own(seed, "sphere/own", item);
  std::vector<Vector> centres;
  std::vector<Real> heights;
  for (Index b = 0; b < blobs; ++b) {
    Vector centre = direction(common);
    const Vector shift = direction(own);
    for (int d = 0; d < 3; ++d) centre[d] += 0.8 * shift[d];
    centres.push_back(unit(centre));
    heights.push_back(own.uniform(0.5, 1.5));
  }
  const MeshData sphere = synthetic_surface(text);
  const Mesh mesh = make_mesh(sphere);
  std::vector<Real> values(mesh.points(), 0.0);
  for (Index v = 0; v < mesh.points(); ++v) {
    const Vector x = unit({mesh.at(v, 0), mesh.at(v, 1), mesh.at(v, 2)});
    for (Index b = 0; b < blobs; ++b) {
      const Vector& c = centres[b];
      const Real angle = std::acos(std::clamp(x[0] * c[0] + x[1] * c[1] + x[2] * c[2], -1.0, 1.0)) / width;
      values[v] += (*mesh.areas)[v] * heights[b] * std::exp(-0.5 * angle * angle);
    }
  }
  return values;
}

}  // namespace hpot
