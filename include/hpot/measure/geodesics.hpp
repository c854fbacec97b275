// Exact geodesic distances on a triangulated surface, from one vertex to all within a radius.
//
// Windows of straight rays are unfolded from triangle to triangle in the order of their distance [Mitchell, Mount,
// Papadimitriou 1987], of two that cover one corner the later goes on on one side of it only [Chen, Han 1990], and those that a
// known distance of a vertex excludes are left out [Xin, Wang 2009]. Shortest ways turn at vertices of more than 2 pi around them and on the boundary alone: these become sources of their own. The distance is
// that of the polyhedron, to rounding: what is left is the error of the triangulation itself, of second order in the edges.
#pragma once

#include "hpot/measure/intrinsic_mesh.hpp"

#include <utility>
#include <vector>

namespace hpot {

class Geodesics {
 public:
  explicit Geodesics(const Mesh& mesh);

  /// What one search needs; of every thread its own.
  struct Workspace {
    std::vector<Real> distance;
    std::vector<Index> touched;
    /// For every side the least distance at the corner opposite that rays through it brought, and where they crossed the side.
    std::vector<std::pair<Real, Real>> split;
    std::vector<Index> touched_sides;
  };

  /// Vertices no farther than `radius` from `start`, itself among them, in ascending order, with their distances. Local.
  [[nodiscard]] std::vector<std::pair<Index, Real>> within(Real radius, Index start, Workspace& workspace) const;

 private:
  struct Search;
  IntrinsicMesh mesh_;
  std::vector<std::vector<Index>> sides_;  // opposite every vertex
  std::vector<char> turns_;                // whether a shortest way can turn at the vertex
};

}  // namespace hpot
