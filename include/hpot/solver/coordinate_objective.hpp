// F(lambda, b) = loss(p^L) of weights and measures, and its gradient: sweeps, the loss of the map they make, and the way back.
#pragma once

#include "hpot/solver/barycenter_sweeps.hpp"
#include "hpot/solver/map_loss.hpp"

namespace hpot {

class CoordinateObjective {
 public:
  CoordinateObjective(BarycenterSweeps sweeps, std::shared_ptr<MapLoss> loss);

  /// F at the weights of all measures; `gradient` is dF/dlambda of all, up to a common constant, the same on all ranks; `slope`,
  /// where it has values, becomes dF/db of the owned measures. Collective.
  Real evaluate(const std::vector<Real>& lambda, std::vector<Real>& gradient, const Field& slope = {});

  /// F alone. Collective.
  Real value(const std::vector<Real>& lambda);

  /// Another target. Local.
  void set_loss(std::shared_ptr<MapLoss> loss) { loss_ = std::move(loss); }
  /// Other measures: log b of those owned. Local.
  void set_log_weights(const Field& log_weight) { sweeps_.set_log_weights(log_weight); }

  /// log p of the last evaluation, which the next one overwrites.
  [[nodiscard]] const Field& log_map() const { return log_map_; }
  [[nodiscard]] const BarycenterSweeps& sweeps() const { return sweeps_; }

 private:
  BarycenterSweeps sweeps_;
  std::shared_ptr<MapLoss> loss_;
  OwnedBatch batch_;  // of the measures
  Field log_map_, slope_;
};

}  // namespace hpot
