// Minimisation over the simplex, lambda_k >= 0, sum lambda_k = 1, by L-BFGS in theta, lambda_k = theta_k^2/|theta|^2.
//
//   dF/dtheta_k = 2 theta_k/|theta|^2 (G_k - sum_l lambda_l G_l),   G = dF/dlambda
//   gap = sum_k lambda_k G_k - min_k G_k >= 0: 0 where the conditions of first order hold, and for convex F a bound of
//         F(lambda) - min F [Frank, Wolfe 1956]
// A weight that is to vanish has a quadratic minimum in theta_k at 0, so that sparse lambda are reached fast, where a softmax
// would walk to -infinity. From positive weights every lambda can be reached; one that is 0 stays 0.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>
#include <vector>

namespace hpot {

struct SimplexPoint {
  std::vector<Real> lambda;
  Real value = 0.0;
  Real gap = 0.0;
};

struct SimplexFunction {
  /// F(lambda); fills `gradient`, dF/dlambda_k up to a constant that is the same for all k.
  std::function<Real(const std::vector<Real>& lambda, std::vector<Real>& gradient)> evaluate;
  /// Called with the start and after every step; true ends the minimisation there.
  std::function<bool(const SimplexPoint& point)> accept;
};

/// From positive `start`, of sum 1, to the last point that was accepted. False where no lower value can be found, as
/// minimise() of core/lbfgs.hpp. Local.
bool minimise_on_simplex(const SimplexFunction& function, Index memory, std::vector<Real> start);

}  // namespace hpot
