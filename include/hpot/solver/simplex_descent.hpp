// Minimisation over the simplex, lambda_k >= 0, sum lambda_k = 1, by L-BFGS in theta, lambda_k = theta_k^2/|theta|^2; and over
// products of simplexes, each with its own theta.
//
//   dF/dtheta_k = 2 theta_k/|theta|^2 (G_k - sum_l lambda_l G_l),   G = dF/dlambda
//   gap = sum_k lambda_k G_k - min_k G_k >= 0: 0 where the conditions of first order hold, and for convex F a bound of
//         F(lambda) - min F [Frank, Wolfe 1956]
// A weight that is to vanish has a quadratic minimum in theta_k at 0, so that sparse lambda are reached fast, where a softmax
// would walk to -infinity. From positive weights every lambda can be reached; one that is 0 stays 0.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>
#include <utility>
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

/// A point of a product of simplexes: the weights of each, one after the other. Local.
class SimplexProduct {
 public:
  /// Sizes of the simplexes.
  explicit SimplexProduct(std::vector<Index> sizes) : sizes_(std::move(sizes)) {}

  /// sqrt(lambda), of length sqrt(size) in each: a step of length 1 changes every weight by a part of it.
  [[nodiscard]] std::vector<Real> theta_of(const std::vector<Real>& lambda) const;
  [[nodiscard]] std::vector<Real> weights_of(const std::vector<Real>& theta) const;
  /// dF/dtheta from dF/dlambda, up to a constant for each simplex.
  [[nodiscard]] std::vector<Real> slope_in_theta(const std::vector<Real>& theta, const std::vector<Real>& slope) const;
  /// The sum of all simplexes' gaps.
  [[nodiscard]] Real gap(const std::vector<Real>& lambda, const std::vector<Real>& slope) const;

 private:
  template <class Work>
  void for_each(const Work& work) const;
  std::vector<Index> sizes_;
};

/// From positive `start`, of sum 1, to the last point that was accepted. False where no lower value can be found, as
/// minimise() of core/lbfgs.hpp. Local.
bool minimise_on_simplex(const SimplexFunction& function, Index memory, const std::vector<Real>& start);
/// The same on a product; `gradient` up to a constant for each simplex. A weight that starts at 0 stays 0.
bool minimise_on_simplexes(const SimplexFunction& function, const SimplexProduct& simplexes, Index memory,
                           const std::vector<Real>& start);

}  // namespace hpot
