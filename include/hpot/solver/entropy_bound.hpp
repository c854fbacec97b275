// Barycenters of bounded entropy [Solomon et al. 2015, section 5.2]:
//
//   min over mu of sum_k lambda_k OT_eps(mu, nu_k)   s.t. H(mu/mass) <= H0    (sharpening.hpp; OT_eps of barycenter_problem.hpp)
//
// With a multiplier gamma >= 0 of the bound, at the optimum  sum_k lambda_k f_k = eps D,
//   D = (gamma/eps) (log(p/q) + H0),  p = mu/mass,
// and so with beta = 1/(1 - gamma/eps) and m = -sum_k lambda_k s_k/eps, the logarithm of the plain barycenter,
//   p = q exp(beta m)/Z:   beta = 1 where H <= H0 there, else H(p) = H0;   mass 1, or where data may differ exp(<p,m> + H(p)).
// gamma < eps: sum_k lambda_k OT_eps + gamma H = sum_k lambda_k OT'_eps + (eps - gamma) KL(mu|q), OT' of the product reference, is
// convex where data are balanced. So mu has the least cost of all maps of its entropy or less, although these are no convex set.
//
// Sweep: f_k <- s_k + eps (m + D),  D <- (1 - theta) D + theta ((beta - 1) m - its mean under p),  theta = 2/(1 + beta). At one beta
// errors common to all f_k change by factors 1 - theta (1 + (beta - 1) a), a in [0, 1] of the plans: at most (beta - 1)/(beta + 1) in size.
// [Solomon]'s D adds up instead; it ends at some map of the entropy asked whose plans agree, not at the one of least cost.
//
// Which bounds are met: between equal Gaussians of variance v on a line beta = eps/(2 S (1 - v/(r + eps/4))) at variance S of mu,
// r^2 = (eps/4)^2 + S v, so that S > v - eps/2, where beta is infinite and mu the free support's [Cuturi, Doucet 2014]; a sharper map
// would need gamma > eps. At large eps beta is about eps/(2 S) for any bound, and coarse grids may have no map of it: on the way to
// the last eps exponents stop at 2, and no bound need be met.
#pragma once

#include "hpot/measure/support.hpp"
#include "hpot/problem/sharpening.hpp"

namespace hpot {

/// The exponent >= 1 nearest to 1 at which H <= `bound`, and the map there. Stops at exponent `most`, where none below is enough,
/// as for a bound below that of the maxima of m. Collective.
TiltedMap sharpen(const OwnedRows& rows, const Reference& q, const ConstField& m, Real bound, Real most);

inline constexpr Real most_exponent = 1e4;
/// At larger eps and on coarser grids: that of equal measures that come back as they are, at small eps.
inline constexpr Real exponent_on_the_way = 2.0;

/// The largest entropy of the measures of lambda > 0 owned along batches. Collective.
Real largest_entropy(const Communicator& along_batches, const OwnedRows& rows, const Reference& q,
                     const ConstField& log_weight, const std::vector<Real>& lambda);

/// log min q, the entropy of a map of one point. Local.
Real least_entropy(const Support& support);

/// D after a sweep into `next`, which holds m; `log_ratio` is log(mu/q) at `map`, up to a constant. Collective.
void move_offset(const OwnedRows& rows, const Reference& q, const ConstField& log_d, const ConstField& log_ratio,
                 const TiltedMap& map, const Field& next);

}  // namespace hpot
