// Small surfaces for tests.
#pragma once

#include "hpot/measure/mesh.hpp"
#include "hpot/measure/random.hpp"

#include <cmath>

namespace hpot::test {

/// (columns - 1) x (rows - 1) squares of side 1 in the plane, each cut along a random diagonal, vertices inside moved by up to
/// jitter/2 along both axes.
inline MeshData plane(Index columns, Index rows, std::uint64_t seed, Real jitter = 0.0) {
  RandomStream random(seed, "test/plane", 0);
  MeshData data;
  data.name = "plane";
  for (Index y = 0; y < rows; ++y) {
    for (Index x = 0; x < columns; ++x) {
      const bool inside = x > 0 && y > 0 && x + 1 < columns && y + 1 < rows;
      const Real half = inside ? 0.5 * jitter : 0.0;
      data.coordinates.push_back(static_cast<Real>(x) + random.uniform(-half, half));
      data.coordinates.push_back(static_cast<Real>(y) + random.uniform(-half, half));
      data.coordinates.push_back(0.0);
    }
  }
  for (Index y = 0; y + 1 < rows; ++y) {
    for (Index x = 0; x + 1 < columns; ++x) {
      const Index a = y * columns + x, b = a + 1, c = a + columns, d = c + 1;
      const auto cut =
          random.uniform() < 0.5 ? std::vector<Index>{a, b, d, a, d, c} : std::vector<Index>{a, b, c, b, d, c};
      data.triangles.insert(data.triangles.end(), cut.begin(), cut.end());
    }
  }
  return data;
}

/// The same, folded into hills and valleys, whose saddles shortest ways turn at.
inline MeshData folded(Index columns, Index rows, Real height = 1.5) {
  MeshData data = plane(columns, rows, 7, 0.3);
  for (std::size_t v = 0; v < data.coordinates.size(); v += 3)
    data.coordinates[v + 2] = height * std::sin(1.1 * data.coordinates[v]) * std::sin(0.9 * data.coordinates[v + 1]);
  return data;
}

}  // namespace hpot::test
