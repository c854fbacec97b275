// The certificates of transport_values.hpp, and the rounding errors that they include. u = 2^-52, twice the unit roundoff;
// all maxima over positive weights. Collective along rows.
//
// Errors of sums. A sum over points is formed by tiles: its relative error in sum |x_i| is at most u (tile + tiles).
//
// Errors of a plan. softmin/eps goes through log a + f/eps, C/eps, up to three differences and logarithms of numbers up to
// L + (F + G + C)/eps, L = max |log weight|, F = max |f|, G = max |g|, C = max C_ij, exponentials (3e-16) and sums of at
// most n terms. Entries' sums, marginals and mean costs of the plan have a relative error of at most
//   theta = 16 u (1 + L + (F + G + C)/eps) + u n + cut
// where cut = exp(x) - 1, x = softmin_excess(), is what the operator leaves out; of mean costs it is a part of C.
// Rounded plan, mass 1. Marginals r, c computed as r1, kept: |r - r1| <= theta r1, |c - kept| <= theta kept, and r1 <= a
// (1 + 2 theta); theta also holds the error of masses that count as 1. Q = P''/(1 + 4 theta) exceeds no marginal, exactly; what it lacks, e_a' <= e_a + 5 theta a and e_b' alike,
// has mass d' >= max(d, 3 theta/(1 + 4 theta)), and e_a'' C e_b'/d' <= K/d + 5 theta C (2 d/d') + 25 theta^2 C/d'
// <= K/d + 23 theta C. With 3 theta for <P'',C> less than 32 theta C is added to upper_cost.
// Plan with finite penalties, marginals p, q and mass M: |D(p(1+t)) - D(p)| <= t rho sum p (1 + |log p/a|), so that
//   theta (4 M C + sum over finite sides of rho [2 M + m + sum p |f - s|/eps])  is added.
//
// Errors of a c-transform. psi <= C - phi + 4 u (C + |phi|); costs are evaluated, and exponentials' arguments formed, to
// as much again: 16 u (C + max|phi|) is taken off every psi, so that phi + psi <= C holds exactly. 4 (u (tile + tiles) + 8 u)
// of the sum of the absolute dual terms is taken off their sum (one such part for each mass that weights were divided by).
#pragma once

#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// The side whose points are the outputs.
inline const Marginal& side_of(const TransportProblem& problem, Side side) {
  return side == Side::source ? problem.source : problem.target;
}

/// softmin(log b + g/eps) for the source's points, softmin(log a + f/eps) for the target's.
Field softmin_at(const TransportProblem& problem, Side outputs, const ConstField& potential);

/// <P,C> for the plan of row sums p and target potential g, of every batch entry.
std::vector<Real> plan_costs(const TransportProblem& problem, const ConstField& p, const ConstField& g);

/// max |value| over positive weights, on all ranks, of every batch entry and of the first; min value, of a batch of one.
std::vector<Real> largest_values(const Marginal& side, const ConstField& value);
Real largest_over(const Marginal& side, const ConstField& value);
Real smallest_over(const Marginal& side, const ConstField& value);

/// u (tile + tiles): of a sum over the side's points.
Real summation_error(const Marginal& side);

/// sum of p f + D(p | a) - D*(f), each at least 0 but for rounding, of every batch entry.
std::vector<Real> fenchel_gaps(const Marginal& side, const ConstField& p, const ConstField& f);

/// theta.
Real plan_error(const TransportProblem& problem, const ConstField& f, const ConstField& g, Real largest_cost);

/// Balanced, both weights of mass 1: cost of the rounded plan, and the bound of its entropic cost, of every batch entry.
struct RoundedPlan {
  Real cost = 0.0;
  Real entropic_cost = 0.0;
};
std::vector<RoundedPlan> round_plans(const TransportProblem& problem, const ConstField& f, const ConstField& g,
                                     const ConstField& s_a);

/// The best lower bound of OT_0 by hard c-transforms, -infinity where it overflows. Errors are taken off.
Real transform_bound(const TransportProblem& problem, const ConstField& f, const ConstField& g, Real largest_cost);

}  // namespace hpot
