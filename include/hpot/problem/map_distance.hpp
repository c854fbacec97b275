// How far a map p is from a target t, both of mass 1 and given by log p (log_zero where p = 0) and t, and d(distance)/dp_i.
//
//   quadratic  sum (p - t)^2/q / (2 sum t^2/q): of densities relative to the uniform probability q, 1/N on grids, in L2(q)
//   l1         sum [sqrt((p - t)^2 + d^2) - d], d = `smoothing` q: between |p - t|_1 - smoothing and |p - t|_1, and smooth where
//              p is within d of t; smoothing 0: |p - t|_1 and its subgradient sign(p - t)
//   kl         sum t log(t/p) = KL(t|p); infinite where p misses a point of t
// Fields are local: one row of the owned points. Collective along rows.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"

namespace hpot {

/// `square`: sum t^2/(N q), sum_of_squares(rows, q, t).
Real quadratic_distance(const OwnedRows& rows, const Reference& q, const ConstField& log_p, const ConstField& t,
                        Real square, const Field& slope);
Real l1_distance(const OwnedRows& rows, const Reference& q, const ConstField& log_p, const ConstField& t,
                 Real smoothing, const Field& slope);
/// The slope -t/p counts ratios above e^600 as that.
Real kl_distance(const OwnedRows& rows, const ConstField& log_p, const ConstField& t, const Field& slope);

/// sum t^2/(N q).
Real sum_of_squares(const OwnedRows& rows, const Reference& q, const ConstField& t);

/// v <- v/(N q).
void divide_by_reference(const Reference& q, const Field& v);

/// log sum_i exp(log_p_i): formed about the largest one, so that it is finite where any of them is.
Real log_mass(const OwnedRows& rows, const ConstField& log_p);

/// slope <- slope - sum_i p_i slope_i: the derivative among maps of mass 1.
void make_tangent(const OwnedRows& rows, const ConstField& log_p, const Field& slope);

}  // namespace hpot
