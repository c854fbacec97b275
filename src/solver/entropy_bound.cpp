#include "hpot/solver/entropy_bound.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <cmath>

namespace hpot {
namespace {

constexpr Real enough = 1e-13;  // of the entropy, in nats, relative to 1 + |bound|
constexpr int most_steps = 100;

}  // namespace

/// Newton's steps in log beta, within an interval that holds the exponent and shrinks by half where they leave it.
TiltedMap sharpen(const OwnedRows& rows, const Reference& q, const ConstField& m, Real bound, Real most) {
  const Real largest = largest_value(rows, m);
  TiltedMap map = tilt(rows, q, m, largest, 1.0);
  const Real near = enough * (1.0 + std::abs(bound));
  Real low = 1.0, high = infinity;
  for (int step = 0; step < most_steps; ++step) {
    const Real excess = map.entropy() - bound;
    if (std::abs(excess) <= near || (excess < 0.0 && map.beta == 1.0) || !std::isfinite(excess)) break;
    if (excess > 0.0 && map.beta == most) break;
    (excess > 0.0 ? low : high) = map.beta;
    const Real slope = map.beta * map.beta * map.variance;  // -dH/d(log beta)
    Real beta = slope > 0.0 ? map.beta * std::exp(std::clamp(excess / slope, -1.0, 1.0)) : 2.0 * map.beta;
    if (!(beta > low && beta < high)) beta = std::isfinite(high) ? std::sqrt(low * high) : 2.0 * low;
    map = tilt(rows, q, m, largest, std::min(beta, most));
  }
  return map;
}

Real largest_entropy(const Communicator& along_batches, const OwnedRows& rows, const Reference& q,
                     const ConstField& log_weight, const std::vector<Real>& lambda) {
  const std::vector<Real> all = entropies(rows, q, log_weight);
  Real largest = -infinity;
  for (std::size_t k = 0; k < all.size(); ++k) {
    if (lambda[k] > 0.0) largest = std::max(largest, all[k]);
  }
  return along_batches.max(largest);
}

Real least_entropy(const Support& support) {
  if (support.mesh() == nullptr) return -std::log(static_cast<Real>(support.points()));
  Real least = 1.0;
  for (const Real share : area_shares(*support.mesh())) {
    if (share > 0.0) least = std::min(least, share);
  }
  return std::log(least);
}

void move_offset(const OwnedRows& rows, const Reference& q, const ConstField& log_d, const ConstField& log_ratio,
                 const TiltedMap& map, const Field& next) {
  const Real theta = 2.0 / (1.0 + map.beta);
  combine(1.0 - theta, log_d, theta * (map.beta - 1.0), next);
  add_constant(next, -mean_under_ratio(rows, q, log_ratio, next));
}

}  // namespace hpot
