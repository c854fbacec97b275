// A surface by the lengths of its edges alone, whose edges can be flipped within it.
//
// Flipping an edge of two triangles, laid flat side by side, to the other diagonal changes the triangulation and not the
// surface: every length within it stays. Flipping where the angles opposite an edge sum to more than pi ends in the
// intrinsic Delaunay triangulation [Bobenko, Springborn 2007], in which all cotangent weights are non-negative. Between two
// vertices there may then be several edges, and an edge may lead back to its vertex. A surface with a boundary is glued to its
// mirror image along it, so that there too no weight is negative: what is the same on both sheets obeys Neumann's condition.
//
// Stiffness [Pinkall, Polthier 1993]: u' L u = 1/2 sum over edges (cot alpha + cot beta) (u_i - u_j)^2, the integral of
// |grad u|^2 of piecewise linear u. Triangles so flat that their lengths violate the triangle inequality by rounding are
// mended by one length added to all edges [Sharp, Crane 2020], 1e-6 of the mean at most.
#pragma once

#include "hpot/core/sparse_cholesky.hpp"
#include "hpot/measure/mesh.hpp"

namespace hpot {

class IntrinsicMesh {
 public:
  explicit IntrinsicMesh(const Mesh& mesh);

  /// Closes the surface by its mirror image where it has a boundary, and flips edges until every one has its Delaunay
  /// property; how many flips that took. Local.
  Index make_delaunay();

  /// How many edges have a negative weight, less than -1e-12.
  [[nodiscard]] Index negative_weights() const;
  /// Entries of L, of one sheet, on and below the diagonal, no off-diagonal one positive after make_delaunay.
  [[nodiscard]] std::vector<MatrixEntry> stiffness() const;
  /// A third of the triangles around every vertex.
  [[nodiscard]] std::vector<Real> lumped_mass() const;

  // Side s = 3 t + c of triangle t lies opposite its corner c, and runs from corner c + 1 to corner c + 2.
  [[nodiscard]] Index sides() const { return static_cast<Index>(corner_.size()); }
  /// The vertex opposite a side.
  [[nodiscard]] Index opposite(Index side) const { return corner_[side]; }
  [[nodiscard]] Index from(Index side) const { return corner_[next(side)]; }
  [[nodiscard]] Index to(Index side) const { return corner_[before(side)]; }
  [[nodiscard]] Real length(Index side) const { return length_[side]; }
  /// The same edge as a side of the other triangle; -1 on the boundary.
  [[nodiscard]] Index twin(Index side) const { return twin_[side]; }
  [[nodiscard]] static Index next(Index side) { return side % 3 == 2 ? side - 2 : side + 1; }
  [[nodiscard]] static Index before(Index side) { return side % 3 == 0 ? side + 2 : side - 1; }
  [[nodiscard]] Index points() const { return points_; }
  /// The angle at the corner opposite a side.
  [[nodiscard]] Real angle(Index side) const;

 private:
  [[nodiscard]] Real area(Index side) const;
  /// Of the angle opposite a side.
  [[nodiscard]] Real cotangent(Index side) const;
  /// (cot alpha + cot beta)/2.
  [[nodiscard]] Real weight(Index side) const;
  void close();
  void flip(Index side);
  void glue(Index side, Index other);

  Index points_;
  std::vector<Index> corner_, twin_;
  std::vector<Real> length_;
  Real copies_ = 1.0;  // sheets
};

}  // namespace hpot
