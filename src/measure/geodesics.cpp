#include "hpot/measure/geodesics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <queue>

namespace hpot {
namespace {

constexpr Real rounding = 1e-12;

struct Place {
  Real x = 0.0, y = 0.0;
};

Real length(Real x, Real y) { return std::sqrt(x * x + y * y); }

/// Rays through [begin, end] of a side, from its first vertex, that enter its triangle from an image of their source at (x,
/// -depth): the side runs along the axis from the origin, its triangle lies above.
struct Window {
  Index side;
  Real begin, end;
  Real x, depth;
  Real before;  // distance of the image's vertex from the start

  [[nodiscard]] Real distance_at(Real place) const { return before + length(place - x, depth); }
  [[nodiscard]] Real least_distance() const { return distance_at(std::clamp(x, begin, end)); }
};

/// A window, or a vertex where shortest ways may turn (side < 0).
struct Event {
  Real distance;
  Index vertex;
  Window window;
  bool operator<(const Event& other) const { return distance > other.distance; }  // the nearest first
};

/// The corner opposite a side, which runs along the axis from the origin.
Place apex(const IntrinsicMesh& mesh, Index side) {
  const Real base = mesh.length(side);
  const Real left = mesh.length(IntrinsicMesh::before(side)), right = mesh.length(IntrinsicMesh::next(side));
  const Real x = 0.5 * (base + (left - right) * (left + right) / base);
  return {x, std::sqrt(std::max(0.0, (left - x) * (left + x)))};
}

}  // namespace

struct Geodesics::Search {
  const Geodesics& surface;
  Workspace& work;
  Real radius;
  std::priority_queue<Event> events{};

  void reach(Index vertex, Real distance) {
    Real& known = work.distance[vertex];
    if (distance >= known || distance > radius) return;
    if (known == infinity) work.touched.push_back(vertex);
    known = distance;
    if (surface.turns_[vertex]) events.push({distance, vertex, {-1, 0.0, 0.0, 0.0, 0.0, 0.0}});
  }

  /// Rays from a vertex into all triangles around it.
  void spread(Index vertex) {
    const IntrinsicMesh& mesh = surface.mesh_;
    const Real before = work.distance[vertex];
    for (const Index side : surface.sides_[vertex]) {
      reach(mesh.from(side), before + mesh.length(IntrinsicMesh::before(side)));
      reach(mesh.to(side), before + mesh.length(IntrinsicMesh::next(side)));
      if (mesh.twin(side) < 0) continue;
      const Place at = apex(mesh, side);
      offer({mesh.twin(side), 0.0, mesh.length(side), mesh.length(side) - at.x, at.y, before}, Through::corner);
    }
  }

  enum class Through { corner, first, second };

  /// Keeps a window unless all its rays come later than ways along its side, or than those from the corner behind it, which they
  /// cross: rays that entered the triangle behind through the edge at the side's first vertex cross the way from that corner
  /// to the window's begin, the others that to its end [Xin, Wang 2009].
  void offer(const Window& window, Through entered) {
    const IntrinsicMesh& mesh = surface.mesh_;
    if (window.side < 0 || !(window.end - window.begin > rounding * mesh.length(window.side))) return;
    const Real nearest = window.least_distance();
    if (nearest > radius) return;
    const Real slack = 1.0 + rounding, base = mesh.length(window.side);
    const Real at_begin = window.distance_at(window.begin), at_end = window.distance_at(window.end);
    if (at_end > (work.distance[mesh.from(window.side)] + window.end) * slack) return;
    if (at_begin > (work.distance[mesh.to(window.side)] + base - window.begin) * slack) return;
    if (entered != Through::corner) {
      const Index back = mesh.twin(window.side);
      const Place corner = apex(mesh, back);  // in the frame that runs the other way
      const bool first = entered == Through::first;
      const Real from_corner = length(base - corner.x - (first ? window.begin : window.end), corner.y);
      if ((first ? at_begin : at_end) > (work.distance[mesh.opposite(back)] + from_corner) * slack) return;
    }
    events.push({nearest, -1, window});
  }

  /// Where the ray through `place` of the window's side meets the line from `origin` along (dx, dy), measured along it.
  static Real meets(const Window& window, Real place, Place origin, Real dx, Real dy) {
    const Real rx = place - window.x, ry = window.depth;
    const Real sx = window.x - origin.x, sy = -window.depth - origin.y;
    const Real across = rx * dy - ry * dx;
    const Real along = across == 0.0 ? 0.0 : -(sx * dy - sy * dx) / across;
    return (sx + along * rx) * dx + (sy + along * ry) * dy;
  }

  void cross(const Window& window) {
    const IntrinsicMesh& mesh = surface.mesh_;
    const Index side = window.side;
    const Real base = mesh.length(side);
    const Real left = mesh.length(IntrinsicMesh::before(side)), right = mesh.length(IntrinsicMesh::next(side));
    const Place at = apex(mesh, side);
    const Real height = window.depth + at.y;
    const Real split = height > 0.0 ? window.x + (at.x - window.x) * window.depth / height : at.x;
    const Real width = rounding * base;
    bool to_first = window.begin<split, to_second = window.end> split;
    if (window.begin - width <= split && split <= window.end + width) {
      const Real distance = window.before + length(at.x - window.x, height);
      reach(mesh.opposite(side), distance);
      auto& [least, place] = work.split[side];
      if (least == infinity) work.touched_sides.push_back(side);
      if (distance < least) {
        least = distance;
        place = split;
      } else if (distance > least * (1.0 + rounding)) {  // beyond the earlier ray to the corner these come too late
        (split < place ? to_second : to_first) = false;
      }
    }
    if (to_first && mesh.twin(IntrinsicMesh::before(side)) >= 0) {  // towards the edge of the first vertex
      const Real dx = at.x / left, dy = at.y / left;
      const Real begin = window.begin <= 0.0 ? 0.0 : meets(window, window.begin, {}, dx, dy);
      const Real end = window.end >= split ? left : meets(window, window.end, {}, dx, dy);
      offer({mesh.twin(IntrinsicMesh::before(side)), std::clamp(begin, 0.0, left), std::clamp(end, 0.0, left),
             window.x * dx - window.depth * dy, window.x * dy + window.depth * dx, window.before},
            Through::first);
    }
    if (to_second && mesh.twin(IntrinsicMesh::next(side)) >= 0) {  // towards the edge of the second vertex
      const Real dx = (base - at.x) / right, dy = -at.y / right;
      const Real begin = window.begin <= split ? 0.0 : meets(window, window.begin, at, dx, dy);
      const Real end = window.end >= base ? right : meets(window, window.end, at, dx, dy);
      const Real sx = window.x - at.x, sy = -window.depth - at.y;
      offer({mesh.twin(IntrinsicMesh::next(side)), std::clamp(begin, 0.0, right), std::clamp(end, 0.0, right),
             sx * dx + sy * dy, sx * dy - sy * dx, window.before},
            Through::second);
    }
  }

  void run(Index start) {
    reach(start, 0.0);
    spread(start);
    while (!events.empty()) {
      const Event event = events.top();
      events.pop();
      if (event.vertex < 0) {
        cross(event.window);
      } else if (event.distance <= work.distance[event.vertex] && event.vertex != start) {
        spread(event.vertex);
      }
    }
  }
};

Geodesics::Geodesics(const Mesh& mesh) : mesh_(mesh), sides_(mesh.points()), turns_(mesh.points(), 0) {
  std::vector<Real> around(mesh.points(), 0.0);
  for (Index side = 0; side < mesh_.sides(); ++side) {
    sides_[mesh_.opposite(side)].push_back(side);
    around[mesh_.opposite(side)] += mesh_.angle(side);
    if (mesh_.twin(side) < 0) turns_[mesh_.from(side)] = turns_[mesh_.to(side)] = 1;
  }
  for (Index v = 0; v < mesh.points(); ++v) {
    if (around[v] > 2.0 * std::numbers::pi * (1.0 + rounding)) turns_[v] = 1;
  }
}

std::vector<std::pair<Index, Real>> Geodesics::within(Real radius, Index start, Workspace& workspace) const {
  if (workspace.distance.empty()) {
    workspace.distance.assign(sides_.size(), infinity);
    workspace.split.assign(mesh_.sides(), {infinity, 0.0});
  }
  Search{*this, workspace, radius}.run(start);
  std::vector<std::pair<Index, Real>> found;
  for (const Index v : workspace.touched) {
    found.emplace_back(v, workspace.distance[v]);
    workspace.distance[v] = infinity;
  }
  for (const Index side : workspace.touched_sides) workspace.split[side].first = infinity;
  workspace.touched.clear();
  workspace.touched_sides.clear();
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace hpot
