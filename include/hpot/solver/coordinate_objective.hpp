// F(lambda) = loss(p^L(lambda)) and its gradient: sweeps, the loss of the map they make, and the way back.
#pragma once

#include "hpot/solver/barycenter_sweeps.hpp"
#include "hpot/solver/map_loss.hpp"

namespace hpot {

class CoordinateObjective {
 public:
  CoordinateObjective(BarycenterSweeps sweeps, std::unique_ptr<MapLoss> loss);

  /// F at the weights of all measures; `gradient` is dF/dlambda of all, up to a common constant. The same on all ranks.
  /// Collective.
  Real evaluate(const std::vector<Real>& lambda, std::vector<Real>& gradient);

  /// log p of the last evaluation, which the next one overwrites.
  [[nodiscard]] const Field& log_map() const { return log_map_; }
  [[nodiscard]] const BarycenterSweeps& sweeps() const { return sweeps_; }

 private:
  BarycenterSweeps sweeps_;
  std::unique_ptr<MapLoss> loss_;
  OwnedBatch batch_;  // of the measures
  Field log_map_, slope_;
};

}  // namespace hpot
