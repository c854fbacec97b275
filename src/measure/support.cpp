#include "hpot/measure/support.hpp"

#include <algorithm>

namespace hpot {

Index Support::points() const {
  return std::visit([](const auto& value) { return value.points(); }, value_);
}

int Support::dimension() const {
  constexpr int of_surfaces = 2;
  if (cloud() != nullptr) return cloud()->dimension;
  if (mesh() != nullptr) return of_surfaces;
  return grid() != nullptr ? grid()->dimension() : 0;
}

std::string Support::describe() const {
  return std::visit([](const auto& value) { return value.describe(); }, value_);
}

std::pair<Real, Real> Support::extent(int axis) const {
  if (cloud() != nullptr) return hpot::extent(*cloud(), axis);
  const Axis& points = grid()->axes[axis];
  return {points.origin, points.coordinate(points.n - 1)};
}

std::string support_mismatch(const Support& a, const Support& b) {
  if (a.grid() != nullptr && b.grid() != nullptr) return grid_mismatch(*a.grid(), *b.grid());
  if ((a.grid() == nullptr) != (b.grid() == nullptr))
    return "one is a grid, the other " + (a.grid() == nullptr ? a : b).describe();
  return a.dimension() == b.dimension() ? "" : a.describe() + " and " + b.describe();
}

}  // namespace hpot
