#include "surfaces.hpp"
#include "hpot/core/error.hpp"
#include "hpot/measure/geodesics.hpp"
#include "hpot/measure/synthetic_surface.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <queue>

namespace hpot::test {
namespace {

using testing::HasSubstr;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

Real sum_of(const std::vector<Real>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// u' L u.
Real energy(const IntrinsicMesh& mesh, const std::vector<Real>& u) {
  Real sum = 0.0;
  for (const MatrixEntry& e : mesh.stiffness())
    sum += (e.row == e.column ? 1.0 : 2.0) * e.value * u[e.row] * u[e.column];
  return sum;
}

/// Distances along a graph whose nodes are the vertices and `between` points on every edge, all of a triangle joined: never
/// shorter than the shortest way, and close to it where there are many.
std::vector<Real> distances_by_graph(const Mesh& mesh, Index start, Index between) {
  const IntrinsicMesh sides(mesh);
  std::vector<std::array<Real, 3>> place;
  for (Index v = 0; v < mesh.points(); ++v) place.push_back({mesh.at(v, 0), mesh.at(v, 1), mesh.at(v, 2)});
  std::vector<std::vector<Index>> nodes_of_side(sides.sides());
  std::vector<std::vector<Index>> joined(mesh.points());
  for (Index s = 0; s < sides.sides(); ++s) {
    if (sides.twin(s) >= 0 && sides.twin(s) < s) {
      nodes_of_side[s] = nodes_of_side[sides.twin(s)];
      continue;
    }
    for (Index k = 1; k <= between; ++k) {
      const Real t = static_cast<Real>(k) / static_cast<Real>(between + 1);
      nodes_of_side[s].push_back(static_cast<Index>(place.size()));
      std::array<Real, 3> x{};
      for (int d = 0; d < 3; ++d) x[d] = (1.0 - t) * mesh.at(sides.from(s), d) + t * mesh.at(sides.to(s), d);
      place.push_back(x);
    }
  }
  std::vector<std::vector<Index>> neighbours(place.size());
  for (Index t = 0; t < sides.sides(); t += 3) {
    std::vector<Index> all;
    for (Index s = t; s < t + 3; ++s) {
      all.push_back(sides.opposite(s));
      all.insert(all.end(), nodes_of_side[s].begin(), nodes_of_side[s].end());
    }
    for (const Index a : all) {
      for (const Index b : all) {
        if (a != b) neighbours[a].push_back(b);
      }
    }
  }
  using Entry = std::pair<Real, Index>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  std::vector<Real> distance(place.size(), infinity);
  queue.emplace(distance[start] = 0.0, start);
  while (!queue.empty()) {
    const auto [far, a] = queue.top();
    queue.pop();
    if (far > distance[a]) continue;
    for (const Index b : neighbours[a]) {
      const Real there =
          far + std::hypot(place[a][0] - place[b][0], place[a][1] - place[b][1], place[a][2] - place[b][2]);
      if (there < distance[b]) queue.emplace(distance[b] = there, b);
    }
  }
  distance.resize(mesh.points());
  return distance;
}

TEST(Surfaces, SphereHasItsVerticesAndItsAreaToSecondOrder) {
  Real before = 0.0;
  for (const int level : {2, 3, 4}) {
    const Mesh mesh = make_mesh(synthetic_surface("sphere?radius=10&subdivisions=" + std::to_string(level)));
    EXPECT_EQ(mesh.points(), synthetic_surface_vertices("sphere?subdivisions=" + std::to_string(level)));
    EXPECT_EQ(mesh.faces(), 2 * mesh.points() - 4);  // Euler
    EXPECT_EQ(mesh.components, 1);
    const Real error = 1.0 - sum_of(*mesh.areas) / (400.0 * std::numbers::pi);
    EXPECT_GT(error, 0.0);
    if (before > 0.0) {
      EXPECT_NEAR(before / error, 4.0, 0.2);
    }
    before = error;
    EXPECT_NEAR(sum_of(area_shares(mesh)), 1.0, 1e-13);
  }
}

TEST(Surfaces, MaskLeavesOutVerticesWithTheirTriangles) {
  const MeshData data = plane(6, 5, 1);
  std::vector<Real> keep(data.coordinates.size() / 3, 1.0);
  for (Index row = 0; row < 5; ++row) keep[row * 6 + 3] = row % 2 == 0 ? 0.0 : std::nan("");
  const Mesh mesh = make_mesh(data, keep);
  EXPECT_EQ(mesh.points(), 25);
  EXPECT_EQ(mesh.given, 30);
  EXPECT_EQ(mesh.components, 2);
  EXPECT_EQ(mesh.faces(), 2 * (4 * 2 + 4 * 1));
  std::vector<Real> all(30);
  std::iota(all.begin(), all.end(), 1.0);
  const std::vector<Real> kept = kept_values(mesh, all);
  const std::vector<Real> back = in_file_order(mesh, kept);
  for (std::size_t v = 0; v < all.size(); ++v) EXPECT_EQ(back[v], v % 6 == 3 ? 0.0 : all[v]);
  EXPECT_THAT(error_of([&] { make_mesh(data, std::vector<Real>(30, 0.0)); }), HasSubstr("leaves no triangle"));
}

TEST(Surfaces, WhatIsNoSurfaceIsRefusedWithItsPlace) {
  const auto error = [](const std::vector<Index>& triangles, std::vector<Real> coordinates = {}) {
    if (coordinates.empty()) coordinates = {0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 2, 2, 1};
    return error_of([&] { make_mesh({coordinates, triangles, "m.gii"}); });
  };
  EXPECT_EQ(error({0, 1, 2, 2, 1, 3}), "");
  EXPECT_THAT(error({}), HasSubstr("m.gii (holds no triangles)"));
  EXPECT_THAT(error({0, 1, 7}), HasSubstr("triangle 0 (from 0) has the vertex 7 of 5"));
  EXPECT_THAT(error({0, 1, -1}), HasSubstr("has the vertex -1 of 5"));
  EXPECT_THAT(error({0, 1, 2, 2, 2, 3}), HasSubstr("triangle 1 (from 0) has a vertex twice"));
  EXPECT_THAT(error({0, 1, 2, 1, 2, 3}), HasSubstr("the vertices 1 and 2 is run through twice in one sense"));
  EXPECT_THAT(error({0, 1, 2, 2, 1, 3, 2, 1, 4}), HasSubstr("more than two triangles"));
  EXPECT_THAT(error({0, 1, 2}, {0, 0, 0, 1, 0, 0, std::nan(""), 1, 0}),
              HasSubstr("vertex 2 (from 0) has a coordinate"));
  EXPECT_THAT(error({0, 1, 2}, {0, 0, 0, 1, 0, 0, 2, 0, 0}), HasSubstr("without area"));
}

TEST(Surfaces, FlipsKeepAreaAndTheEnergyOfLinearFunctionsAndLeaveNoNegativeWeight) {
  const Mesh mesh = make_mesh(plane(17, 13, 3, 0.45));
  IntrinsicMesh intrinsic(mesh);
  EXPECT_GT(intrinsic.negative_weights(), 10);
  EXPECT_GT(intrinsic.make_delaunay(), 10);
  EXPECT_EQ(intrinsic.negative_weights(), 0);
  for (const MatrixEntry& entry : intrinsic.stiffness()) {
    if (entry.row != entry.column) {
      EXPECT_LE(entry.value, 0.0);
    }
  }
  const Real area = 16.0 * 12.0;
  EXPECT_NEAR(sum_of(intrinsic.lumped_mass()), area, 1e-9 * area);
  std::vector<Real> u, one(mesh.points(), 1.0);
  for (Index v = 0; v < mesh.points(); ++v) u.push_back(0.6 * mesh.at(v, 0) - 0.8 * mesh.at(v, 1));
  EXPECT_NEAR(energy(intrinsic, one), 0.0, 1e-9);
  // On the double of the square, intrinsic edges that cross from sheet to sheet see a fold of u: the energy of piecewise
  // linear interpolation is at least that of u, and no more than the fold's share above it.
  EXPECT_NEAR(energy(intrinsic, u), area, 0.05 * area);
  EXPECT_NEAR(energy(IntrinsicMesh(mesh), u), area, 1e-9 * area);
}

TEST(Surfaces, GeodesicsOfThePlaneAreStraightLines) {
  const Mesh mesh = make_mesh(plane(15, 12, 5, 0.45));
  const Geodesics geodesics(mesh);
  Geodesics::Workspace work;
  for (const Index start : {Index{0}, Index{37}, mesh.points() - 1}) {
    const auto all = geodesics.within(infinity, start, work);
    ASSERT_EQ(static_cast<Index>(all.size()), mesh.points());
    for (const auto& [v, d] : all) EXPECT_NEAR(d, mesh.distance(start, v), 1e-9) << start << " " << v;
    for (const auto& [v, d] : geodesics.within(4.0, start, work)) EXPECT_EQ(d, all[v].second);
    const auto near = geodesics.within(4.0, start, work);
    const auto count = std::count_if(all.begin(), all.end(), [](const auto& found) { return found.second <= 4.0; });
    EXPECT_EQ(static_cast<Index>(near.size()), count);
  }
}

TEST(Surfaces, GeodesicsOfTheSphereAreGreatCirclesToSecondOrder) {
  Real before = 0.0;
  for (const int level : {2, 3, 4}) {
    const Mesh mesh = make_mesh(synthetic_surface("sphere?radius=10&subdivisions=" + std::to_string(level)));
    Geodesics::Workspace work;
    Real worst = 0.0;
    for (const auto& [v, d] : Geodesics(mesh).within(infinity, 17, work)) {
      Real cosine = 0.0;
      for (int axis = 0; axis < 3; ++axis) cosine += mesh.at(v, axis) * mesh.at(17, axis) / 100.0;
      worst = std::max(worst, std::abs(d - 10.0 * std::acos(std::clamp(cosine, -1.0, 1.0))));
    }
    EXPECT_LT(worst, 0.25 * mesh.mean_edge);
    if (before > 0.0) {
      EXPECT_GT(before / worst, 3.0);
    }
    before = worst;
  }
}

TEST(Surfaces, GeodesicsOfAFoldedSheetEqualAGraphOfManyPoints) {
  const Mesh mesh = make_mesh(folded(14, 12));
  const Geodesics geodesics(mesh);
  Geodesics::Workspace work;
  for (const Index start : {Index{3}, Index{80}}) {
    const std::vector<Real> coarse = distances_by_graph(mesh, start, 3), fine = distances_by_graph(mesh, start, 12);
    Real gap = 0.0;
    for (const auto& [v, d] : geodesics.within(infinity, start, work)) {
      EXPECT_LE(d, fine[v] + 1e-4);
      EXPECT_GE(d, 0.99 * fine[v] - 1e-4) << v;
      gap += coarse[v] - d;
    }
    EXPECT_GT(gap, 0.0);
    for (Index v = 0; v < mesh.points(); v += 11) {
      const auto found = geodesics.within(infinity, start, work);
      const auto back = geodesics.within(infinity, v, work);
      EXPECT_NEAR(back[start].second, found[v].second, 1e-9) << "both ways are equally long";
    }
  }
}

TEST(Surfaces, SyntheticMapsAreThoseOfTheirItem) {
  const std::string family = "sphere?subdivisions=3&count=3&seed=4&blobs=3";
  EXPECT_EQ(synthetic_surface_count(family), 3);
  const auto first = synthetic_surface_map(family, 0);
  EXPECT_EQ(first, synthetic_surface_map(family + "&item=0", 2));
  EXPECT_NE(first, synthetic_surface_map(family, 1));
  for (const Real value : first) EXPECT_GE(value, 0.0);
  EXPECT_THAT(error_of([] { synthetic_surface("sphere?n=3"); }), HasSubstr("n"));
}

}  // namespace
}  // namespace hpot::test
