#include "hpot/solver/coordinate_objective.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/map_distance.hpp"

#include <utility>

namespace hpot {

CoordinateObjective::CoordinateObjective(BarycenterSweeps sweeps, std::shared_ptr<MapLoss> loss)
    : sweeps_(std::move(sweeps)),
      loss_(std::move(loss)),
      batch_(sweeps_.problem().along_batches, static_cast<Index>(sweeps_.problem().log_weight.extent(0))),
      slope_(make_unset_field("hpot::CoordinateObjective::slope", 1, sweeps_.problem().rows.local_n())) {}

Real CoordinateObjective::value(const std::vector<Real>& lambda) {
  log_map_ = sweeps_.forward(batch_.part_of(lambda));
  return loss_->evaluate(log_map_, slope_);
}

Real CoordinateObjective::evaluate(const std::vector<Real>& lambda, std::vector<Real>& gradient, const Field& slope) {
  const Real loss = value(lambda);
  make_tangent(sweeps_.problem().rows, log_map_, slope_);
  gradient = batch_.of_all(sweeps_.reverse(slope_, slope));
  return loss;
}

}  // namespace hpot
