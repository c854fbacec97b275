#include "hpot/measure/pyramid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace hpot {
namespace {

constexpr Real nearly_smallest = 1.5;

std::vector<bool> axes_to_halve(const Grid& grid) {
  Real smallest = infinity;
  for (const Axis& axis : grid.axes) {
    if (axis.n > 1) smallest = std::min(smallest, axis.spacing);
  }
  std::vector<bool> halve;
  for (const Axis& axis : grid.axes) halve.push_back(axis.n > 1 && axis.spacing <= nearly_smallest * smallest);
  return halve;
}

/// Axes padded in front to three, so that one triple loop serves all dimensions.
std::array<Index, 3> padded_shape(const Grid& grid) {
  std::array<Index, 3> shape{1, 1, 1};
  for (int d = 0; d < grid.dimension(); ++d) shape[3 - grid.dimension() + d] = grid.axes[d].n;
  return shape;
}

}  // namespace

Grid coarsen(const Grid& grid) {
  Grid coarse{grid.axes, {}};
  const auto halve = axes_to_halve(grid);
  for (int d = 0; d < grid.dimension(); ++d) {
    if (!halve[d]) continue;
    Axis& axis = coarse.axes[d];
    axis = {(axis.n + 1) / 2, 2.0 * axis.spacing, axis.origin + 0.5 * axis.spacing};
  }
  return coarse;
}

namespace {

/// Sums over the fine points of a plane that lie in each cell of the coarse grid, plane by plane.
std::vector<Real> coarsen_in_planes(const Grid& grid, const std::vector<Real>& fine) {
  Grid plane = grid, coarse_plane = coarsen(grid);
  plane.axes[0].n = coarse_plane.axes[0].n = 1;
  const auto n = padded_shape(plane);
  const auto m = padded_shape(coarse_plane);
  const Index width = m[1] * m[2];
  const Index planes = static_cast<Index>(fine.size()) / (n[1] * n[2]);
  std::array<Index, 3> factor{};
  for (int d = 1; d < 3; ++d) factor[d] = m[d] == n[d] ? 1 : 2;
  std::vector<Real> values(planes * width, 0.0);
  Index p = 0;
  for (Index z = 0; z < planes; ++z) {
    for (Index y = 0; y < n[1]; ++y) {
      Real* row = values.data() + z * width + y / factor[1] * m[2];
      for (Index x = 0; x < n[2]; ++x) row[x / factor[2]] += fine[p++];
    }
  }
  return values;
}

/// Planes added in runs of `factor`.
std::vector<Real> add_planes(std::vector<Real> values, Index width, Index factor) {
  if (factor == 1) return values;
  const Index planes = static_cast<Index>(values.size()) / width;
  std::vector<Real> sums((planes + factor - 1) / factor * width, 0.0);
  for (Index z = 0; z < planes; ++z) {
    for (Index i = 0; i < width; ++i) sums[z / factor * width + i] += values[z * width + i];
  }
  return sums;
}

Index planes_of_a_coarse_one(const Grid& grid) { return coarsen(grid).axes[0].n == grid.axes[0].n ? 1 : 2; }

}  // namespace

std::vector<Real> coarsen(const Grid& grid, const std::vector<Real>& fine) {
  return add_planes(coarsen_in_planes(grid, fine), plane_points(coarsen(grid)), planes_of_a_coarse_one(grid));
}

std::vector<Real> coarsen(const Grid& grid, const OwnedRows& rows, const OwnedRows& coarse_rows,
                          const std::vector<Real>& fine) {
  if (rows.along_rows.size() == 1) return coarsen(grid, fine);
  const Grid coarse = coarsen(grid);
  const Index factor = planes_of_a_coarse_one(grid);
  const Partition coarse_planes = planes_of(coarse_rows, coarse);
  const auto wanted = [&](int rank) {
    const Range block = coarse_planes.block(rank);
    return Range{std::min(factor * block.begin, grid.axes[0].n), std::min(factor * block.end, grid.axes[0].n)};
  };
  const Index width = plane_points(coarse);
  return add_planes(rows.along_rows.take_items(planes_of(rows, grid), width, coarsen_in_planes(grid, fine), wanted),
                    width, factor);
}

std::vector<Grid> make_levels(const Grid& grid, Index smallest_side) {
  std::vector<Grid> levels{grid};
  const auto longest = [](const Grid& g) {
    Index n = 1;
    for (const Axis& axis : g.axes) n = std::max(n, axis.n);
    return n;
  };
  while (longest(levels.back()) > smallest_side) levels.push_back(coarsen(levels.back()));
  return levels;
}

std::pair<Support, std::vector<Real>> coarsen(const Support& support, const std::vector<Real>& weights) {
  if (support.cloud() != nullptr) return coarsen(*support.cloud(), weights);
  return {coarsen(*support.grid()), coarsen(*support.grid(), weights)};
}

int count_levels(const Support& support, Index smallest_side) {
  if (support.grid() != nullptr) return static_cast<int>(make_levels(*support.grid(), smallest_side).size());
  constexpr int most_dimensions = 3;
  const int dimension = support.dimension();
  int levels = 1;
  if (support.mesh() != nullptr || dimension == 0 || dimension > most_dimensions) return levels;
  const Real fewest = std::pow(static_cast<Real>(smallest_side), dimension);
  const Index run = Index{1} << dimension;
  for (Index n = support.points(); static_cast<Real>(n) > fewest; n = (n + run - 1) / run) ++levels;
  return levels;
}

namespace {

/// Between which two points of `axis` x lies, the lower one first, and how far from that.
std::pair<Index, Real> place_on(const Axis& axis, Real x) {
  const Real clamped = std::clamp((x - axis.origin) / axis.spacing, 0.0, static_cast<Real>(axis.n - 1));
  const Index below = std::min<Index>(static_cast<Index>(clamped), std::max<Index>(axis.n - 2, 0));
  return {below, clamped - static_cast<Real>(below)};
}

}  // namespace

Range planes_for_interpolation(const Grid& coarse, const Grid& fine, Range rows) {
  if (rows.size() == 0) return {0, 0};
  const auto below = [&](Index row) {
    return place_on(coarse.axes[0], fine.axes[0].coordinate(row / plane_points(fine))).first;
  };
  return {below(rows.begin), std::min(below(rows.end - 1) + 2, coarse.axes[0].n)};
}

std::vector<Real> interpolate(const Grid& coarse, const std::vector<Real>& coarse_values, const Grid& fine, Range rows,
                              Index first_plane) {
  const Index skipped = first_plane * plane_points(coarse);
  const int dimension = fine.dimension();
  std::vector<Real> values(rows.size(), 0.0);
  for (Index p = rows.begin; p < rows.end; ++p) {
    std::array<Index, 3> below{};
    std::array<Real, 3> fraction{};
    Index rest = p;
    for (int d = dimension - 1; d >= 0; --d) {
      std::tie(below[d], fraction[d]) = place_on(coarse.axes[d], fine.axes[d].coordinate(rest % fine.axes[d].n));
      rest /= fine.axes[d].n;
    }
    for (int corner = 0; corner < (1 << dimension); ++corner) {
      Real weight = 1.0;
      Index index = 0;
      for (int d = 0; d < dimension; ++d) {
        const int up = (corner >> d) & 1;
        weight *= up ? fraction[d] : 1.0 - fraction[d];
        index = index * coarse.axes[d].n + std::min(below[d] + up, coarse.axes[d].n - 1);
      }
      values[p - rows.begin] += weight * coarse_values[index - skipped];
    }
  }
  return values;
}

}  // namespace hpot
