#include "hpot/measure/grid.hpp"

#include "hpot/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace hpot {

namespace {

constexpr Real spacing_tolerance = 1e-6;   // relative
constexpr Real position_tolerance = 1e-3;  // voxels

constexpr int digits_of_difference = 9;  // shows what spacing_tolerance rejects

template <class Get>
std::string per_axis(const Grid& grid, Get get, int digits = 6) {
  std::ostringstream text;
  text.precision(digits);
  for (auto axis = grid.axes.rbegin(); axis != grid.axes.rend(); ++axis) {
    text << (axis == grid.axes.rbegin() ? "" : " x ") << get(*axis);
  }
  return text.str();
}

std::string shape_text(const Grid& grid) {
  return per_axis(grid, [](const Axis& axis) { return axis.n; });
}
std::string spacing_text(const Grid& grid, int digits = 6) {
  return per_axis(
      grid, [](const Axis& axis) { return axis.spacing; }, digits);
}
std::string origin_text(const Grid& grid) {
  return per_axis(grid, [](const Axis& axis) { return axis.origin; });
}

/// Voxel (x, y, z) of corner number 0 to 7; the axes that a grid of fewer dimensions lacks stay at 0.
std::array<Real, 3> corner_voxel(const Grid& grid, int corner) {
  std::array<Real, 3> voxel{};
  for (int d = 0; d < grid.dimension(); ++d) {
    if ((corner >> d) & 1) voxel[d] = static_cast<Real>(grid.axes[grid.dimension() - 1 - d].n - 1);
  }
  return voxel;
}

std::array<Real, 3> position(const Affine& affine, const std::array<Real, 3>& voxel) {
  std::array<Real, 3> point{};
  for (int row = 0; row < 3; ++row) {
    point[row] = affine[row][3];
    for (int d = 0; d < 3; ++d) point[row] += affine[row][d] * voxel[d];
  }
  return point;
}

std::string affine_mismatch(const Grid& a, const Grid& b) {
  for (int corner = 0; corner < (1 << a.dimension()); ++corner) {
    const auto voxel = corner_voxel(a, corner);
    const auto p = position(*a.affine, voxel), q = position(*b.affine, voxel);
    const Real distance = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    if (distance <= position_tolerance * a.smallest_spacing()) continue;
    std::ostringstream text;
    text << "affines differ: voxel (" << voxel[0] << ", " << voxel[1] << ", " << voxel[2] << ") lies at (" << p[0]
         << ", " << p[1] << ", " << p[2] << ") in one, (" << q[0] << ", " << q[1] << ", " << q[2] << ") in the other";
    return text.str();
  }
  return {};
}

Index product(const std::vector<Index>& shape, const std::string& where) {
  Index points = 1;
  for (const Index n : shape) {
    require(n >= 1, where, "an axis of " + std::to_string(n) + " points", "every axis needs one or more");
    require(!__builtin_mul_overflow(points, n, &points), where, "more points than can be counted",
            "use a smaller grid");
  }
  return points;
}

}  // namespace

Index Grid::points() const {
  Index points = 1;
  for (const Axis& axis : axes) points *= axis.n;
  return points;
}

Real Grid::smallest_spacing() const {
  Real smallest = infinity;
  for (const Axis& axis : axes) smallest = std::min(smallest, axis.spacing);
  return smallest;
}

std::string Grid::describe() const { return shape_text(*this) + ", spacing " + spacing_text(*this); }

Grid make_grid(const std::vector<Index>& shape, const std::vector<Real>& spacing) {
  const std::string where = "grid";
  require(!shape.empty() && shape.size() <= 3, where, std::to_string(shape.size()) + " dimensions", "1 to 3 are known");
  product(shape, where);
  require(spacing.empty() || spacing.size() == 1 || spacing.size() == shape.size(), where,
          std::to_string(spacing.size()) + " spacings for " + std::to_string(shape.size()) + " axes",
          "give one for all, or one for each");
  Grid grid;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    Axis axis;
    axis.n = shape[d];
    if (!spacing.empty()) axis.spacing = spacing.size() == 1 ? spacing[0] : spacing[d];
    require(std::isfinite(axis.spacing) && axis.spacing > 0, where, "spacing " + std::to_string(axis.spacing),
            "spacings are positive and finite");
    grid.axes.push_back(axis);
  }
  return grid;
}

std::string grid_mismatch(const Grid& a, const Grid& b) {
  const bool same_shape =
      a.dimension() == b.dimension() &&
      std::equal(a.axes.begin(), a.axes.end(), b.axes.begin(), [](const Axis& s, const Axis& t) { return s.n == t.n; });
  if (!same_shape) return "shapes differ: " + shape_text(a) + " and " + shape_text(b);
  for (int d = 0; d < a.dimension(); ++d) {
    const Real s = a.axes[d].spacing, t = b.axes[d].spacing;
    if (std::abs(s - t) > spacing_tolerance * std::max(s, t)) {
      return "spacings differ: " + spacing_text(a, digits_of_difference) + " and " +
             spacing_text(b, digits_of_difference);
    }
  }
  if (a.affine && b.affine) return affine_mismatch(a, b);
  for (int d = 0; d < a.dimension(); ++d) {
    if (std::abs(a.axes[d].origin - b.axes[d].origin) > position_tolerance * a.axes[d].spacing) {
      return "origins differ: " + origin_text(a) + " and " + origin_text(b);
    }
  }
  return {};
}

std::vector<Real> pack(const Grid& grid) {
  std::vector<Real> numbers{static_cast<Real>(grid.dimension())};
  for (const Axis& axis : grid.axes) {
    numbers.insert(numbers.end(), {static_cast<Real>(axis.n), axis.spacing, axis.origin});
  }
  if (grid.affine) {
    for (const auto& row : *grid.affine) numbers.insert(numbers.end(), row.begin(), row.end());
  }
  return numbers;
}

Grid unpack_grid(const std::vector<Real>& numbers) {
  Grid grid;
  auto next = numbers.begin();
  const int dimension = static_cast<int>(*next++);
  for (int d = 0; d < dimension; ++d, next += 3) grid.axes.push_back({static_cast<Index>(next[0]), next[1], next[2]});
  if (next != numbers.end()) {
    grid.affine.emplace();
    for (auto& row : *grid.affine) {
      std::copy_n(next, 4, row.begin());
      next += 4;
    }
  }
  return grid;
}

}  // namespace hpot
