#include "hpot/core/reduction.hpp"

#include <numeric>

namespace hpot {

std::vector<Real> owned_values(std::vector<Real> values, const OwnedRows& rows) {
  const Range range = rows.range();
  if (range.size() == static_cast<Index>(values.size())) return values;
  return {values.begin() + range.begin, values.begin() + range.end};
}

Real total(const OwnedRows& rows, const std::vector<Real>& values, Real unit) {
  std::vector<Real> tiles(static_cast<std::size_t>(rows.partition.tiles()), 0.0);
  const Range range = rows.range();
  const Index first = range.size() == static_cast<Index>(values.size()) ? range.begin : 0;
  for (Index p = range.begin; p < range.end; ++p) tiles[p / rows.partition.tile()] += values[p - first] / unit;
  rows.along_rows.sum(tiles);  // a tile has one owner: zeros are added, no rounding
  return std::accumulate(tiles.begin(), tiles.end(), 0.0);
}

std::vector<Real> add_tiles(const OwnedRows& rows, const HostField& partial) {
  std::vector<Real> tiles(partial.data(), partial.data() + partial.size());
  rows.along_rows.sum(tiles);  // a tile has one owner: zeros are added, no rounding
  std::vector<Real> totals(partial.extent(0), 0.0);
  for (std::size_t k = 0; k < partial.extent(0); ++k) {
    for (std::size_t t = 0; t < partial.extent(1); ++t) totals[k] += tiles[k * partial.extent(1) + t];
  }
  return totals;
}

}  // namespace hpot
