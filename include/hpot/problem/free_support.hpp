// Barycenters of clouds with a free support: the places x_1, ..., x_N of points with fixed weights a_i, of mass 1, that
// minimise, for the cost |x - y|^2 and measures b_k on clouds y_k,
//
//   F(x) = sum_k lambda_k OT_eps(a at x, b_k)                            plain [Cuturi, Doucet 2014, Alg. 2]
//   F(x) = sum_k lambda_k OT_eps(a at x, b_k) - OT_eps(a at x, a at x)/2 debiased [Luise et al. 2019]
//
// With plans P_k of exact rows and T_k their barycentric projections (barycentric_map.hpp), the gradient is, plans held fixed
// [envelope theorem; Feydy et al. 2019], 2 a_i (x_i - G(x)_i) with
//
//   plain     G(x) = sum_k lambda_k T_k(x): the minimum over x at fixed plans. F - sum a_i |x_i|^2 is concave, so that the
//             step x <- G(x) never raises F
//   debiased  G(x) = x + sum_k lambda_k T_k(x) - T_self(x): the same step along the gradient
//
// The weighted mean of G(x) is sum_k lambda_k (mean of b_k), up to the marginal errors. Plain barycenters are narrower than
// their measures: of Gaussians of one variance v along an axis, v - eps/2, and one point where that is not positive; debiased
// ones have v.
//
// Positions are fields (axes, owned points), in the unit of the coordinates.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/measure/point_cloud.hpp"

namespace hpot {

/// Of the points [rows) of `cloud`. Local.
Field positions_of(const PointCloud& cloud, Range rows);

/// The whole cloud at `positions`, in the order of `like`. Collective along rows.
PointCloud moved(const PointCloud& like, const OwnedRows& rows, const ConstField& positions);

/// sum += factor * values, every term rounded to a multiple of `quantum` (quantum_for of barycenter_problem.hpp), so that the
/// sum is the same in any order and on any number of ranks. Local.
void add_rounded(Real factor, const ConstField& values, Real quantum, const Field& sum);

}  // namespace hpot
