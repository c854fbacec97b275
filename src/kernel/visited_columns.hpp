// How many columns a row's sums visit where near pairs only are taken: the estimate of adaptive.hpp.
#pragma once

#include "hpot/core/types.hpp"
#include "hpot/cost/cost.hpp"

#include <vector>

namespace hpot {

class VisitedColumns {
 public:
  /// Of `count` points, row-major on the host. Costs between 32 of them and 2048, but for those of a point to itself.
  VisitedColumns(const Cost& cost, const Real* points, Index count, int dimension);

  /// V where pairs of a cost of at most `reach` are near.
  [[nodiscard]] Real within(Real reach) const;
  /// Of how many pairs that was counted.
  [[nodiscard]] Index sampled_within(Real reach) const;
  [[nodiscard]] Real count() const { return count_; }

 private:
  Real count_, dimension_;
  std::vector<Real> costs_;  // ascending
};

}  // namespace hpot
