// Entropic barycenters of measures on one grid or surface, and the pointwise pieces of their fixed-point equations.
//
//   min over mu of sum_k lambda_k [<P_k,C> + eps KL(P_k | q (x) b_k) + D(P_k' 1 | b_k)],   P_k 1 = mu
//   q = 1/N on grids, areas of vertices over their sum on surfaces
//   P_k = q_i b_kj exp((f_ki + g_kj - C_ij)/eps)
//   g_k = prox(softmin(log q + f_k/eps));  s_k = softmin(log b_k + g_k/eps);  log(mu/q) = D - sum_l lambda_l s_l/eps
//   f_k <- s_k + eps log(mu/q)
//   plain [Benamou 2015]: D = 0.   debiased [Janati 2020]: D <- (D + log(mu/q) - log K(q e^D))/2.   entropy bounded: see there
// A penalty on the data's marginals lets masses differ [Gramfort, Peyre, Cuturi 2015; Chizat 2018]; the mass of mu then is
// what transport makes of them: with kl:RHO and costs >= 0 between G exp(-max C/(rho + eps)) and G = prod_k mass(b_k)^lambda_k.
//
// Fields are local: (measures owned here, owned rows). Functions that return numbers are collective along rows.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/kernel/operator.hpp"
#include "hpot/measure/support.hpp"

#include <memory>

namespace hpot {

struct BarycenterProblem {
  OwnedRows rows;
  Communicator along_batches;
  Field log_weight;          // log b_k, log_zero where b_k = 0
  std::vector<Real> lambda;  // of the measures owned here; sums to 1 over all
  bool debiased = false;
  std::shared_ptr<KernelOperator> kernel;  // grid to itself
  MarginalPenalty penalty = Balanced{};    // on every P_k' 1
  Real epsilon = 1.0;
  bool inner_products = true;     // false: none will be asked for, and their weights are not kept
  ConstField log_reference{};     // log q, owned rows; empty: 1/N
  Real entropy_bound = infinity;  // of mu (solver/entropy_bound.hpp); infinite: none. Not with debiased
  Real bounded_from = infinity;   // at this eps and below by any exponent, before as far as a small one goes

  [[nodiscard]] bool entropy_bounded() const { return entropy_bound < infinity; }
  [[nodiscard]] bool keeps_log_d() const { return debiased || entropy_bounded(); }
};

/// q, for kernels.
struct Reference {
  Real q, log_q;    // everywhere, where there is no field
  ConstField each;  // log q
  Reference(const ConstField& log_reference, Index points)
      : q(1.0 / static_cast<Real>(points)), log_q(-Kokkos::log(static_cast<Real>(points))), each(log_reference) {}
  KOKKOS_INLINE_FUNCTION Real at(Index i) const { return each.extent(1) > 0 ? Kokkos::exp(each(0, i)) : q; }
  KOKKOS_INLINE_FUNCTION Real log_at(Index i) const { return each.extent(1) > 0 ? each(0, i) : log_q; }
  /// N q_i.
  KOKKOS_INLINE_FUNCTION Real relative_at(Index i) const {
    return each.extent(1) > 0 ? Kokkos::exp(each(0, i)) / q : 1.0;
  }
};

/// log q of a surface's owned rows; of other supports empty: 1/N. Local.
Field log_reference_of(const Support& support, const OwnedRows& rows);

/// log b, log_zero where b is 0; in place.
void take_log(const Field& weight);

/// h = log q + f/eps.
void add_log_reference(const Reference& q, const ConstField& f, Real epsilon, const Field& h);

/// L_k = log sum_j b_kj exp(-g_kj/rho) for measures given by log b; infinite where the sum leaves the range of doubles.
std::vector<Real> log_dual_masses(const OwnedRows& rows, const ConstField& log_weight, const ConstField& g, Real rho);

/// sum_j b_kj g_kj for measures given by log b.
std::vector<Real> means_under(const OwnedRows& rows, const ConstField& log_weight, const ConstField& g);

/// log_ratio(0, i) += -sum_k lambda_k s(k, i)/eps over the measures owned here, every term rounded to a multiple of `quantum`
/// (see quantum_for), so that the sum is the same in any order and on any number of ranks.
void add_log_mean(const std::vector<Real>& lambda, const ConstField& s, Real epsilon, Real quantum,
                  const Field& log_ratio);

/// max |s(k, i)|/eps over the measures owned here of lambda_k > 0. Local.
Real largest_exponent(const std::vector<Real>& lambda, const ConstField& s, Real epsilon);

/// Operators that keep near pairs alone: the largest |s|/eps of points that some mass is near; and of the others, where s is
/// infinite, s <- max(eps exponent, f + eps nothing): sums over measures stay finite, and rows of the plan, exp((f - s)/eps), are at
/// most exp(-nothing). Without f, of no points, eps exponent.
Real largest_reached_exponent(const ConstField& s, Real epsilon);
void bound_unreached(const ConstField& f, Real epsilon, Real nothing, Real exponent, const Field& s);

/// A power of two: multiples of it add up without rounding, in doubles, while no partial sum exceeds twice `largest`. The
/// rounding of K terms to it changes the sum by at most K quantum/2 <= K 2^-52 largest [Demmel, Nguyen 2013].
Real quantum_for(Real largest);

/// f(k, i) = s(k, i) + eps log_ratio(0, i), in place of s.
void close_half_step(const ConstField& log_ratio, Real epsilon, const Field& s);

/// mu = q exp(log_ratio).
void mean_of_ratio(const Reference& q, const ConstField& log_ratio, const Field& mu);

/// Per measure |P_k 1 - mu|_1, with P_k 1 = q exp((f_k - s_k)/eps) and mu = q exp(log_ratio).
std::vector<Real> marginal_errors(const OwnedRows& rows, const Reference& q, const ConstField& f, const ConstField& s,
                                  const ConstField& log_ratio, Real epsilon);

/// Mass of mu.
Real mass_of_ratio(const OwnedRows& rows, const Reference& q, const ConstField& log_ratio);

/// |q e^D K(q e^D) - mu|_1, with log K(q e^D) = -transform/eps.
Real self_transport_error(const OwnedRows& rows, const Reference& q, const ConstField& log_d,
                          const ConstField& transform, const ConstField& log_ratio, Real epsilon);

/// D <- (D + log_ratio + transform/eps)/2 into `next`, which may be `transform`.
void debias(const ConstField& log_d, const ConstField& log_ratio, const ConstField& transform, Real epsilon,
            const Field& next);

/// mean(0, i) = sum_k lambda_k q exp((f_k - s_k)/eps) over the measures owned here.
void add_plan_marginals(const std::vector<Real>& lambda, const Reference& q, const ConstField& f, const ConstField& s,
                        Real epsilon, const Field& mean);

}  // namespace hpot
