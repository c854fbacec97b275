#include "hpot/solver/measure_levels.hpp"

#include "hpot/measure/pyramid.hpp"

#include <tuple>
#include <utility>

namespace hpot {

std::vector<MeasureLevel> make_measure_levels(Support support, std::vector<Real> weights,
                                              const Communicator& along_rows, int count) {
  std::vector<MeasureLevel> levels;
  while (true) {
    const OwnedRows rows = own_rows(support, along_rows);
    const Grid* const grid = support.grid();
    const bool last = static_cast<int>(levels.size()) + 1 == count;
    if (grid != nullptr) weights = owned_values(std::move(weights), rows);
    Support coarse_support;
    std::vector<Real> coarse;
    if (!last && grid != nullptr) {
      coarse_support = coarsen(*grid);
      coarse = coarsen(*grid, rows, own_rows(coarse_support, along_rows), weights);
    } else if (!last) {
      std::tie(coarse_support, coarse) = coarsen(support, weights);
    }
    levels.push_back({std::move(support), rows, owned_values(std::move(weights), rows)});
    if (last) return levels;
    support = std::move(coarse_support);
    weights = std::move(coarse);
  }
}

}  // namespace hpot
