#include "hpot/solver/simplex_descent.hpp"

#include "hpot/core/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hpot {
namespace {

Real dot(const std::vector<Real>& x, const std::vector<Real>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

std::vector<Real> weights_of(const std::vector<Real>& theta) {
  const Real square = dot(theta, theta);
  std::vector<Real> lambda;
  for (const Real t : theta) lambda.push_back(t * t / square);
  return lambda;
}

}  // namespace

bool minimise_on_simplex(const SimplexFunction& function, Index memory, std::vector<Real> start) {
  std::vector<Real> theta;  // of length sqrt(K): the first step, of length 1, changes every weight by a part of it
  for (const Real weight : start) theta.push_back(std::sqrt(weight * static_cast<Real>(start.size())));
  std::vector<Real> slope(start.size(), 0.0);  // dF/dlambda at the last point evaluated
  SmoothFunction in_theta;
  in_theta.evaluate = [&](const std::vector<Real>& x, std::vector<Real>& gradient) {
    const std::vector<Real> lambda = weights_of(x);
    const Real value = function.evaluate(lambda, slope);
    const Real mean = dot(lambda, slope);
    const Real square = dot(x, x);
    for (std::size_t k = 0; k < x.size(); ++k) gradient[k] = 2.0 * x[k] / square * (slope[k] - mean);
    return value;
  };
  in_theta.accept = [&](const std::vector<Real>& x, Real value, const std::vector<Real>&) {
    const std::vector<Real> lambda = weights_of(x);
    return function.accept({lambda, value, dot(lambda, slope) - *std::min_element(slope.begin(), slope.end())});
  };
  return minimise(in_theta, memory, theta);
}

}  // namespace hpot
