// What a projection is to make small: the distance of a map p from a target t, both of mass 1.
//
//   quadratic, l1, kl    of problem/map_distance.hpp
//   wasserstein          OT_eps(p, t) - OT_eps(p, p)/2 - OT_eps(t, t)/2 [Feydy 2019]: 0 where p = t, f_pt - f_pp its derivative
//   wasserstein_plain    OT_eps(p, t), f_pt its derivative
// Transport problems are solved anew for every map, to `transport.stopping`; the derivative is of that order, the value of its square.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/solver/solve_transport.hpp"

namespace hpot {

struct LossSettings {
  std::string name = "quadratic";
  Real smoothing = 1e-3;
  TransportSettings transport;  // eps in the unit of the cost
  static std::vector<std::string> names();
};

class MapLoss {
 public:
  virtual ~MapLoss() = default;
  /// The loss of p = exp(log_p), of mass 1, and slope_i = dloss/dp_i up to a constant. Collective along rows.
  virtual Real evaluate(const ConstField& log_p, const Field& slope) = 0;
};

/// `target`: the owned rows of t; `q`: the uniform probability. Collective along rows.
std::unique_ptr<MapLoss> make_map_loss(const LossSettings& settings, const Support& support, const OwnedRows& rows,
                                       const Reference& q, const Field& target);

}  // namespace hpot
