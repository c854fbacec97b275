// Triangulated surfaces, cortices above all: an oriented manifold, with a boundary or without, of one or several components.
//
// A vertex's area is a third of the triangles around it; areas over their sum are the uniform probability q of the surface.
// Vertices that a mask leaves out are gone together with the triangles around them, and so are vertices of no triangle:
// `number` leads back to the files. Copies share their arrays.
#pragma once

#include "hpot/core/types.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace hpot {

struct Mesh {
  template <class T>
  using Shared = std::shared_ptr<const std::vector<T>>;

  Shared<Real> coordinates;  // (vertex, 3), in the file's unit: mm for cortices
  Shared<Index> triangles;   // (triangle, 3)
  Shared<Real> areas;        // of vertices, positive, in the unit squared
  Shared<Index> component;   // of every vertex, from 0, numbered by their first vertices
  Shared<Index> number;      // of every vertex in the files, ascending
  Index given = 0;           // vertices of the files
  Index components = 1;
  Real mean_edge = 0.0;  // mean length of the edges
  std::string name;      // for messages and result.h5

  [[nodiscard]] Index points() const { return static_cast<Index>(areas->size()); }
  [[nodiscard]] Index faces() const { return static_cast<Index>(triangles->size()) / 3; }
  [[nodiscard]] Real at(Index vertex, int axis) const { return (*coordinates)[3 * vertex + axis]; }
  [[nodiscard]] Real distance(Index vertex, Index other) const;
  /// "10242 vertices and 20480 triangles".
  [[nodiscard]] std::string describe() const;
};

/// What files hold: vertices and triangles as they stand there.
struct MeshData {
  std::vector<Real> coordinates;
  std::vector<Index> triangles;
  std::string name;  // for messages
};

/// One after the other, their vertices numbered on.
MeshData joined(std::vector<MeshData> parts);

/// Checked: coordinates finite, vertices there, edges of at most two triangles that run through them in opposite senses.
/// `keep` has a value for every vertex, 0 or NaN leaves it out; empty keeps all. InputError that names the mesh. Local.
Mesh make_mesh(const MeshData& data, const std::vector<Real>& keep = {});

/// The values of the kept vertices among those of all.
std::vector<Real> kept_values(const Mesh& mesh, const std::vector<Real>& all);
/// `values` of the kept vertices at their places among all, `width` numbers a vertex; 0 at the others.
std::vector<Real> in_file_order(const Mesh& mesh, const std::vector<Real>& values, Index width = 1);

/// q: areas over their sum.
std::vector<Real> area_shares(const Mesh& mesh);

/// Length of a path along edges between two vertices far from one another (from vertex 0 of a component to the farthest,
/// and on to the farthest from there), the longest over components: at least half of the largest distance.
Real extent_along_edges(const Mesh& mesh);

}  // namespace hpot
