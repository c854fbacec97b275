#include "hpot/core/reduction.hpp"

namespace hpot {

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
