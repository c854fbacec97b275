#include "hpot/measure/pyramid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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

std::vector<Real> coarsen(const Grid& grid, const std::vector<Real>& fine) {
  const Grid coarse = coarsen(grid);
  const auto n = padded_shape(grid);
  const auto m = padded_shape(coarse);
  std::array<Index, 3> factor{};
  for (int d = 0; d < 3; ++d) factor[d] = m[d] == n[d] ? 1 : 2;
  std::vector<Real> values(coarse.points(), 0.0);
  Index p = 0;
  for (Index z = 0; z < n[0]; ++z) {
    for (Index y = 0; y < n[1]; ++y) {
      Real* row = values.data() + (z / factor[0] * m[1] + y / factor[1]) * m[2];
      for (Index x = 0; x < n[2]; ++x) row[x / factor[2]] += fine[p++];
    }
  }
  return values;
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

std::vector<Real> interpolate(const Grid& coarse, const std::vector<Real>& coarse_values, const Grid& fine,
                              Range rows) {
  const int dimension = fine.dimension();
  std::vector<Real> values(rows.size(), 0.0);
  for (Index p = rows.begin; p < rows.end; ++p) {
    std::array<Index, 3> below{};
    std::array<Real, 3> fraction{};
    Index rest = p;
    for (int d = dimension - 1; d >= 0; --d) {
      const Axis& axis = coarse.axes[d];
      const Real x = (fine.axes[d].coordinate(rest % fine.axes[d].n) - axis.origin) / axis.spacing;
      rest /= fine.axes[d].n;
      const Real clamped = std::clamp(x, 0.0, static_cast<Real>(axis.n - 1));
      below[d] = std::min<Index>(static_cast<Index>(clamped), std::max<Index>(axis.n - 2, 0));
      fraction[d] = clamped - static_cast<Real>(below[d]);
    }
    for (int corner = 0; corner < (1 << dimension); ++corner) {
      Real weight = 1.0;
      Index index = 0;
      for (int d = 0; d < dimension; ++d) {
        const int up = (corner >> d) & 1;
        weight *= up ? fraction[d] : 1.0 - fraction[d];
        index = index * coarse.axes[d].n + std::min(below[d] + up, coarse.axes[d].n - 1);
      }
      values[p - rows.begin] += weight * coarse_values[index];
    }
  }
  return values;
}

}  // namespace hpot
