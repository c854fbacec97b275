// Orders of points in which runs are compact: recursive halving along the longest axis of the box. Host. Part of truncated.hpp.
#pragma once

#include "hpot/core/types.hpp"

#include <vector>

namespace hpot {

/// (point, axis), row-major, of points [0, n).
struct HostCloud {
  const Real* coordinates;
  int dimension;
  [[nodiscard]] Real at(Index p, int d) const { return coordinates[p * dimension + d]; }
};

/// Permutes [begin, end) of `order` so that every run of leaf * 2^k points that begins at a multiple of its length is compact;
/// a leaf's points ascend. The same for the same points, whatever their order was.
void order_by_halving(const HostCloud& cloud, Index leaf, std::vector<int>::iterator begin,
                      std::vector<int>::iterator end);

}  // namespace hpot
