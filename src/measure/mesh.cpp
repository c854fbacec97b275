#include "hpot/measure/mesh.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

namespace hpot {
namespace {

constexpr Real most_coordinate = 1e100;

template <class T>
Mesh::Shared<T> shared(std::vector<T> values) {
  return std::make_shared<const std::vector<T>>(std::move(values));
}

std::string text_of(const std::string& what, Index number) { return what + " " + std::to_string(number); }

void check(const MeshData& data) {
  require(!data.triangles.empty(), data.name, "holds no triangles", "check the file");
  const Index vertices = static_cast<Index>(data.coordinates.size()) / 3;
  for (Index v = 0; v < vertices; ++v) {
    for (int d = 0; d < 3; ++d) {
      const Real x = data.coordinates[3 * v + d];
      constexpr std::uint64_t exponent = 0x7ff0000000000000u;  // by bits: a comparison with NaN may trap
      const bool finite = (std::bit_cast<std::uint64_t>(x) & exponent) != exponent;
      require(finite && std::abs(x) <= most_coordinate, data.name,
              text_of("vertex", v) + " (from 0) has a coordinate that is infinite, NaN or beyond 1e100", "mend it");
    }
  }
  for (std::size_t t = 0; t < data.triangles.size(); t += 3) {
    const Index* const v = &data.triangles[t];
    const std::string triangle = text_of("triangle", static_cast<Index>(t) / 3) + " (from 0)";
    for (int c = 0; c < 3; ++c) {
      require(v[c] >= 0 && v[c] < vertices, data.name,
              triangle + " has the vertex " + std::to_string(v[c]) + " of " + std::to_string(vertices), "mend it");
    }
    require(v[0] != v[1] && v[1] != v[2] && v[2] != v[0], data.name, triangle + " has a vertex twice", "leave it out");
  }
}

/// An edge in the sense in which its triangle runs through it.
struct DirectedEdge {
  Index low, high;
  bool upwards;
};

std::vector<DirectedEdge> sorted_edges(const std::vector<Index>& triangles) {
  std::vector<DirectedEdge> edges;
  edges.reserve(triangles.size());
  for (std::size_t t = 0; t < triangles.size(); t += 3) {
    for (int c = 0; c < 3; ++c) {
      const Index from = triangles[t + c], to = triangles[t + (c + 1) % 3];
      edges.push_back({std::min(from, to), std::max(from, to), from < to});
    }
  }
  std::sort(edges.begin(), edges.end(), [](const DirectedEdge& x, const DirectedEdge& y) {
    return std::pair(x.low, x.high) < std::pair(y.low, y.high);
  });
  return edges;
}

void check_manifold(const std::vector<DirectedEdge>& edges, const std::string& name) {
  for (std::size_t e = 0; e + 1 < edges.size(); ++e) {
    const auto same = [&](std::size_t other) {
      return other < edges.size() && edges[other].low == edges[e].low && edges[other].high == edges[e].high;
    };
    const auto text = [&] {
      return "the edge between the vertices " + std::to_string(edges[e].low) + " and " + std::to_string(edges[e].high);
    };
    require(!same(e + 2), name, text() + " has more than two triangles", "mend the mesh: a surface has two at most");
    require(!same(e + 1) || edges[e].upwards != edges[e + 1].upwards, name,
            text() + " is run through twice in one sense", "orient the triangles alike");
  }
}

/// Number of every vertex among those kept, -1 for the others.
std::vector<Index> kept_numbers(const MeshData& data, const std::vector<Real>& keep, std::vector<Index>& triangles) {
  const auto vertices = data.coordinates.size() / 3;
  const auto is_kept = [&](Index v) { return keep.empty() || (!std::isnan(keep[v]) && keep[v] != 0.0); };
  std::vector<Index> number(vertices, -1);
  for (std::size_t t = 0; t < data.triangles.size(); t += 3) {
    const Index* const v = &data.triangles[t];
    if (!is_kept(v[0]) || !is_kept(v[1]) || !is_kept(v[2])) continue;
    triangles.insert(triangles.end(), v, v + 3);
    for (int c = 0; c < 3; ++c) number[v[c]] = 0;
  }
  Index next = 0;
  for (Index& n : number) n = n < 0 ? -1 : next++;
  for (Index& v : triangles) v = number[v];
  return number;
}

/// Component of every vertex, and how many there are.
std::pair<std::vector<Index>, Index> components_of(Index vertices, const std::vector<DirectedEdge>& edges) {
  std::vector<Index> root(vertices);
  std::iota(root.begin(), root.end(), Index{0});
  const auto find = [&](Index v) {
    while (root[v] != v) v = root[v] = root[root[v]];
    return v;
  };
  for (const DirectedEdge& edge : edges) {
    const Index a = find(edge.low), b = find(edge.high);
    root[std::max(a, b)] = std::min(a, b);
  }
  std::vector<Index> component(vertices);
  Index count = 0;
  for (Index v = 0; v < vertices; ++v) {
    const Index first = find(v);
    component[v] = first == v ? count++ : component[first];
  }
  return {std::move(component), count};
}

Real triangle_area(const Mesh& mesh, Index t) {
  std::array<Real, 3> u{}, w{};
  const Index* const v = mesh.triangles->data() + 3 * t;
  for (int d = 0; d < 3; ++d) {
    u[d] = mesh.at(v[1], d) - mesh.at(v[0], d);
    w[d] = mesh.at(v[2], d) - mesh.at(v[0], d);
  }
  return 0.5 * std::hypot(u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]);
}

/// Distances along edges from `start` within its component.
std::vector<Real> along_edges(const Mesh& mesh, const std::vector<std::vector<Index>>& neighbours, Index start) {
  using Entry = std::pair<Real, Index>;
  std::vector<Real> distance(mesh.points(), infinity);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  distance[start] = 0.0;
  queue.emplace(0.0, start);
  while (!queue.empty()) {
    const auto [far, v] = queue.top();
    queue.pop();
    if (far > distance[v]) continue;
    for (const Index w : neighbours[v]) {
      const Real there = far + mesh.distance(v, w);
      if (there >= distance[w]) continue;
      distance[w] = there;
      queue.emplace(there, w);
    }
  }
  return distance;
}

}  // namespace

Real Mesh::distance(Index vertex, Index other) const {
  return std::hypot(at(vertex, 0) - at(other, 0), at(vertex, 1) - at(other, 1), at(vertex, 2) - at(other, 2));
}

std::string Mesh::describe() const {
  return std::to_string(points()) + " vertices and " + std::to_string(faces()) + " triangles";
}

MeshData joined(std::vector<MeshData> parts) {
  MeshData all = std::move(parts.front());
  for (std::size_t p = 1; p < parts.size(); ++p) {
    const Index before = static_cast<Index>(all.coordinates.size()) / 3;
    all.coordinates.insert(all.coordinates.end(), parts[p].coordinates.begin(), parts[p].coordinates.end());
    for (const Index v : parts[p].triangles) all.triangles.push_back(v < 0 ? v : before + v);
    all.name += ", " + parts[p].name;
  }
  return all;
}

Mesh make_mesh(const MeshData& data, const std::vector<Real>& keep) {
  check(data);
  std::vector<Index> triangles, numbers;
  const std::vector<Index> kept = kept_numbers(data, keep, triangles);
  require(!triangles.empty(), data.name, "the mask leaves no triangle", "give a mask that is not 0 on the surface");
  std::vector<Real> coordinates;
  for (std::size_t v = 0; v < kept.size(); ++v) {
    if (kept[v] < 0) continue;
    numbers.push_back(static_cast<Index>(v));
    coordinates.insert(coordinates.end(), &data.coordinates[3 * v], &data.coordinates[3 * v] + 3);
  }
  const std::vector<DirectedEdge> edges = sorted_edges(triangles);
  check_manifold(edges, data.name);
  Mesh mesh;
  mesh.name = data.name;
  mesh.given = static_cast<Index>(kept.size());
  mesh.coordinates = shared(std::move(coordinates));
  mesh.triangles = shared(std::move(triangles));
  auto [component, count] = components_of(static_cast<Index>(numbers.size()), edges);
  mesh.component = shared(std::move(component));
  mesh.components = count;
  std::vector<Real> areas(numbers.size(), 0.0);
  for (Index t = 0; t < mesh.faces(); ++t) {
    const Real area = triangle_area(mesh, t);
    for (int c = 0; c < 3; ++c) areas[(*mesh.triangles)[3 * t + c]] += area / 3.0;
  }
  for (std::size_t v = 0; v < areas.size(); ++v)
    require(areas[v] > 0.0, data.name, text_of("vertex", numbers[v]) + " (from 0) has triangles without area only",
            "mend the mesh");
  Real sum = 0.0;
  Real distinct = 0.0;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    if (e > 0 && edges[e].low == edges[e - 1].low && edges[e].high == edges[e - 1].high) continue;
    sum += mesh.distance(edges[e].low, edges[e].high);
    distinct += 1.0;
  }
  mesh.mean_edge = sum / distinct;
  mesh.areas = shared(std::move(areas));
  mesh.number = shared(std::move(numbers));
  return mesh;
}

std::vector<Real> kept_values(const Mesh& mesh, const std::vector<Real>& all) {
  std::vector<Real> values;
  values.reserve(mesh.number->size());
  for (const Index v : *mesh.number) values.push_back(all[v]);
  return values;
}

std::vector<Real> in_file_order(const Mesh& mesh, const std::vector<Real>& values, Index width) {
  if (values.empty()) return values;
  std::vector<Real> all(mesh.given * width, 0.0);
  for (Index v = 0; v < mesh.points(); ++v)
    std::copy_n(values.begin() + v * width, width, all.begin() + (*mesh.number)[v] * width);
  return all;
}

std::vector<Real> area_shares(const Mesh& mesh) {
  std::vector<Real> shares = *mesh.areas;
  const Real sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (Real& share : shares) share /= sum;
  return shares;
}

Real extent_along_edges(const Mesh& mesh) {
  std::vector<std::vector<Index>> neighbours(mesh.points());
  for (std::size_t t = 0; t < mesh.triangles->size(); t += 3) {
    for (int c = 0; c < 3; ++c) {
      const Index from = (*mesh.triangles)[t + c], to = (*mesh.triangles)[t + (c + 1) % 3];
      neighbours[from].push_back(to);
      neighbours[to].push_back(from);  // edges inside stand twice, which only takes time
    }
  }
  const auto farthest = [](const std::vector<Real>& distance) {
    const auto less = [](Real x, Real y) { return (x == infinity ? -1.0 : x) < (y == infinity ? -1.0 : y); };
    return std::max_element(distance.begin(), distance.end(), less) - distance.begin();
  };
  Real extent = 0.0;
  Index next = 0;  // component whose first vertex comes next
  for (Index v = 0; v < mesh.points(); ++v) {
    if ((*mesh.component)[v] != next) continue;
    ++next;
    const std::vector<Real> there = along_edges(mesh, neighbours, farthest(along_edges(mesh, neighbours, v)));
    extent = std::max(extent, there[farthest(there)]);
  }
  return extent;
}

}  // namespace hpot
