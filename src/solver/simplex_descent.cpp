#include "hpot/solver/simplex_descent.hpp"

#include "hpot/core/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace hpot {
namespace {

using Numbers = std::span<const Real>;

Real dot(Numbers x, Numbers y) { return std::inner_product(x.begin(), x.end(), y.begin(), 0.0); }

}  // namespace

/// work(first, size) of every simplex.
template <class Work>
void SimplexProduct::for_each(const Work& work) const {
  std::size_t first = 0;
  for (const Index size : sizes_) {
    work(first, static_cast<std::size_t>(size));
    first += static_cast<std::size_t>(size);
  }
}

std::vector<Real> SimplexProduct::theta_of(const std::vector<Real>& lambda) const {
  std::vector<Real> theta;
  theta.reserve(lambda.size());
  for_each([&](std::size_t first, std::size_t size) {
    for (const Real weight : Numbers(lambda).subspan(first, size))
      theta.push_back(std::sqrt(weight * static_cast<Real>(size)));
  });
  return theta;
}

std::vector<Real> SimplexProduct::weights_of(const std::vector<Real>& theta) const {
  std::vector<Real> lambda;
  lambda.reserve(theta.size());
  for_each([&](std::size_t first, std::size_t size) {
    const Numbers own = Numbers(theta).subspan(first, size);
    const Real square = dot(own, own);
    for (const Real t : own) lambda.push_back(t * t / square);
  });
  return lambda;
}

std::vector<Real> SimplexProduct::slope_in_theta(const std::vector<Real>& theta, const std::vector<Real>& slope) const {
  const std::vector<Real> lambda = weights_of(theta);
  std::vector<Real> gradient;
  gradient.reserve(theta.size());
  for_each([&](std::size_t first, std::size_t size) {
    const Numbers own = Numbers(theta).subspan(first, size);
    const Real mean = dot(Numbers(lambda).subspan(first, size), Numbers(slope).subspan(first, size));
    const Real square = dot(own, own);
    for (std::size_t k = 0; k < size; ++k) gradient.push_back(2.0 * own[k] / square * (slope[first + k] - mean));
  });
  return gradient;
}

Real SimplexProduct::gap(const std::vector<Real>& lambda, const std::vector<Real>& slope) const {
  Real sum = 0.0;
  for_each([&](std::size_t first, std::size_t size) {
    const Numbers own = Numbers(slope).subspan(first, size);
    sum += dot(Numbers(lambda).subspan(first, size), own) - *std::min_element(own.begin(), own.end());
  });
  return sum;
}

bool minimise_on_simplexes(const SimplexFunction& function, const SimplexProduct& simplexes, Index memory,
                           const std::vector<Real>& start) {
  std::vector<Real> theta = simplexes.theta_of(start);
  std::vector<Real> slope(start.size(), 0.0);  // dF/dlambda at the last point evaluated
  SmoothFunction in_theta;
  in_theta.evaluate = [&](const std::vector<Real>& x, std::vector<Real>& gradient) {
    const Real value = function.evaluate(simplexes.weights_of(x), slope);
    gradient = simplexes.slope_in_theta(x, slope);
    return value;
  };
  in_theta.accept = [&](const std::vector<Real>& x, Real value, const std::vector<Real>&) {
    const std::vector<Real> lambda = simplexes.weights_of(x);
    return function.accept({lambda, value, simplexes.gap(lambda, slope)});
  };
  return minimise(in_theta, memory, theta);
}

bool minimise_on_simplex(const SimplexFunction& function, Index memory, const std::vector<Real>& start) {
  return minimise_on_simplexes(function, SimplexProduct({static_cast<Index>(start.size())}), memory, start);
}

}  // namespace hpot
