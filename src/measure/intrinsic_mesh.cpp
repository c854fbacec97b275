#include "hpot/measure/intrinsic_mesh.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace hpot {
namespace {

constexpr Real negligible = 1e-12;  // of a weight, which is a cotangent

}  // namespace

IntrinsicMesh::IntrinsicMesh(const Mesh& mesh)
    : points_(mesh.points()), corner_(*mesh.triangles), twin_(corner_.size(), -1), length_(corner_.size()) {
  std::vector<Index> order(corner_.size());
  std::iota(order.begin(), order.end(), Index{0});
  const auto ends = [&](Index side) {
    return std::pair(std::min(from(side), to(side)), std::max(from(side), to(side)));
  };
  std::sort(order.begin(), order.end(), [&](Index a, Index b) { return ends(a) < ends(b); });
  for (std::size_t k = 0; k + 1 < order.size(); ++k) {
    if (ends(order[k]) == ends(order[k + 1])) glue(order[k], order[k + 1]);
  }
  for (Index s = 0; s < sides(); ++s) length_[s] = mesh.distance(std::min(from(s), to(s)), std::max(from(s), to(s)));
  const Real slack = 1e-6 * mesh.mean_edge;
  Real lacking = 0.0;
  for (Index s = 0; s < sides(); ++s)
    lacking = std::max(lacking, length_[s] + 1e-3 * slack - length_[next(s)] - length_[before(s)]);
  for (Real& length : length_) length += std::min(lacking, slack);
}

void IntrinsicMesh::glue(Index side, Index other) {
  twin_[side] = other;
  if (other >= 0) twin_[other] = side;
}

/// Heron's formula without cancellation [Kahan 2014].
Real IntrinsicMesh::area(Index side) const {
  Real a = length_[side], b = length_[next(side)], c = length_[before(side)];
  if (a < b) std::swap(a, b);
  if (a < c) std::swap(a, c);
  if (b < c) std::swap(b, c);
  return 0.25 * std::sqrt(std::max(0.0, (a + (b + c)) * (c - (a - b)) * (c + (a - b)) * (a + (b - c))));
}

Real IntrinsicMesh::cotangent(Index side) const {
  const Real a = length_[side], b = length_[next(side)], c = length_[before(side)];
  const Real largest = std::max({a, b, c});
  const Real flat = std::max(area(side), 1e-15 * largest * largest);
  return (b * b + c * c - a * a) / (4.0 * flat);
}

Real IntrinsicMesh::angle(Index side) const { return std::atan2(1.0, cotangent(side)); }

Real IntrinsicMesh::weight(Index side) const {
  return 0.5 * (cotangent(side) + (twin_[side] < 0 ? 0.0 : cotangent(twin_[side])));
}

/// Triangles (p, q, a) and (q, p, b) of the edge from p to q become (p, b, a) and (q, a, b).
void IntrinsicMesh::flip(Index side) {
  const Index other = twin_[side];
  const Index pq = side, qa = next(side), ap = before(side);
  const Index pb = next(other), bq = before(other);
  const Index p = from(side), q = to(side), a = opposite(side), b = opposite(other);
  // p at the origin, q on the axis, a above, b below
  const Real base = length_[pq];
  const auto along = [&](Real from_p, Real from_q) {
    return 0.5 * (base + (from_p - from_q) * (from_p + from_q) / base);
  };
  const Real x = along(length_[ap], length_[qa]) - along(length_[pb], length_[bq]);
  const Real y = 2.0 * (area(side) + area(other)) / base;
  const Real diagonal = std::hypot(x, y);
  const Real l_ap = length_[ap], l_pb = length_[pb], l_bq = length_[bq], l_qa = length_[qa];
  const Index t_ap = twin_[ap], t_pb = twin_[pb], t_bq = twin_[bq], t_qa = twin_[qa];
  const Index first = side - side % 3, second = other - other % 3;
  const auto moved = [&](Index twin) {  // sides of the two triangles stand elsewhere now
    if (twin == ap) return first + 1;
    if (twin == pb) return first + 2;
    if (twin == bq) return second + 1;
    if (twin == qa) return second + 2;
    return twin;
  };
  const Index new_ap = moved(t_ap), new_pb = moved(t_pb), new_bq = moved(t_bq), new_qa = moved(t_qa);
  corner_[first] = p, corner_[first + 1] = b, corner_[first + 2] = a;
  corner_[second] = q, corner_[second + 1] = a, corner_[second + 2] = b;
  length_[first] = length_[second] = diagonal;
  length_[first + 1] = l_ap, length_[first + 2] = l_pb;
  length_[second + 1] = l_bq, length_[second + 2] = l_qa;
  glue(first, second);
  glue(first + 1, new_ap);
  glue(first + 2, new_pb);
  glue(second + 1, new_bq);
  glue(second + 2, new_qa);
}

/// Every triangle once more, in the opposite sense, with the same vertices: corners c, c + 1, c + 2 as c, c + 2, c + 1.
void IntrinsicMesh::close() {
  if (std::find(twin_.begin(), twin_.end(), Index{-1}) == twin_.end()) return;
  copies_ = 2;
  const Index n = sides();
  const auto mirrored = [&](Index side) { return n + side - side % 3 + (3 - side % 3) % 3; };
  corner_.resize(2 * n);
  length_.resize(2 * n);
  twin_.resize(2 * n);
  for (Index s = 0; s < n; ++s) {
    corner_[mirrored(s)] = corner_[s];
    length_[mirrored(s)] = length_[s];
    twin_[mirrored(s)] = twin_[s] < 0 ? s : mirrored(twin_[s]);
  }
  for (Index s = 0; s < n; ++s) twin_[s] = twin_[s] < 0 ? mirrored(s) : twin_[s];
}

Index IntrinsicMesh::make_delaunay() {
  close();
  std::vector<Index> queue(sides());
  std::iota(queue.begin(), queue.end(), Index{0});
  std::vector<char> waits(sides(), 1);
  const Index most = 100 * sides() + 1000;  // flips are few: a bound against rounding that would go to and fro
  Index flips = 0;
  while (!queue.empty()) {
    const Index side = queue.back();
    queue.pop_back();
    waits[side] = 0;
    if (twin_[side] < 0 || twin_[side] / 3 == side / 3 || weight(side) >= -negligible) continue;
    const Index first = side - side % 3, second = twin_[side] - twin_[side] % 3;
    flip(side);
    if (++flips > most) throw std::logic_error("IntrinsicMesh: flips do not end");
    for (const Index triangle : {first, second}) {
      for (Index s = triangle; s < triangle + 3; ++s) {
        if (waits[s]) continue;
        waits[s] = 1;
        queue.push_back(s);
      }
    }
  }
  return flips;
}

Index IntrinsicMesh::negative_weights() const {
  Index count = 0;
  for (Index s = 0; s < sides(); ++s) count += (twin_[s] < s) && weight(s) < -negligible ? 1 : 0;
  return count;
}

std::vector<MatrixEntry> IntrinsicMesh::stiffness() const {
  std::vector<MatrixEntry> entries;
  for (Index s = 0; s < sides(); ++s) {
    if (twin_[s] > s) continue;  // once an edge
    const Index i = from(s), j = to(s);
    if (i == j) continue;
    const Real w = weight(s);
    const Real kept = (std::abs(w) <= negligible ? 0.0 : w) / copies_;
    entries.push_back({i, i, kept});
    entries.push_back({j, j, kept});
    entries.push_back({std::max(i, j), std::min(i, j), -kept});
  }
  return entries;
}

std::vector<Real> IntrinsicMesh::lumped_mass() const {
  std::vector<Real> mass(points_, 0.0);
  for (Index t = 0; t < sides(); t += 3) {
    const Real third = area(t) / (3.0 * copies_);
    for (Index c = t; c < t + 3; ++c) mass[corner_[c]] += third;
  }
  return mass;
}

}  // namespace hpot
