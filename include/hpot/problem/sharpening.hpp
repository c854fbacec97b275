// Maps of bounded entropy: powers of a map that are as sharp as asked [Solomon et al. 2015, section 5.2].
//
//   H(p) = -sum_i p_i log(p_i/q_i), the entropy of a map of mass 1 in nats relative to the reference q: at most 0, that of q itself,
//   at least log min q, that of one point; it does not depend on the resolution
//   p_beta = q exp(beta r - log Z),  Z = sum q exp(beta r)   for r = log(mu/q):  H = log Z - beta <p_beta, r>,
//   dH/dbeta = -beta Var_p(r) <= 0: one exponent for each entropy between that of beta = 1 and that of the maxima of r
//
// r is local: (1, owned rows). Functions are collective along rows.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {

/// p_beta, its moments of r, and its entropy.
struct TiltedMap {
  Real beta = 1.0;
  Real log_mass = 0.0;  // log Z
  Real mean = 0.0;      // <p, r>
  Real variance = 0.0;
  /// Of a map that has log(mu/q) = beta r + constant and any mass that costs nothing: exp(<p, r> + H(p)).
  [[nodiscard]] Real free_log_mass() const { return mean + entropy(); }
  [[nodiscard]] Real entropy() const { return log_mass - beta * mean; }
};

/// max r, the point about which moments are taken. Collective.
Real largest_value(const OwnedRows& rows, const ConstField& r);

/// Three exponentials and 8 bytes a point. Collective.
TiltedMap tilt(const OwnedRows& rows, const Reference& q, const ConstField& r, Real largest, Real beta);

/// H of measures of any mass, each divided by it, given by log b. Collective.
std::vector<Real> entropies(const OwnedRows& rows, const Reference& q, const ConstField& log_weight);

/// <mu, x>/<mu, 1> for mu = q exp(log_ratio). Collective.
Real mean_under_ratio(const OwnedRows& rows, const Reference& q, const ConstField& log_ratio, const ConstField& x);

}  // namespace hpot
