// Entropic transport between two measures, and the pointwise pieces of its fixed-point equations.
//
//   min_P <P,C> + eps KL(P | a (x) b) + D_a(P 1 | a) + D_b(P' 1 | b),     P_ij = a_i b_j exp((f_i + g_j - C_ij)/eps)
//   f = prox_a(softmin(log b + g/eps)),   g = prox_b(softmin(log a + f/eps))
//
// Fields are local: (batch, owned rows). Functions that return numbers are collective along rows, one number per batch
// entry; the others are local.
#pragma once

#include "hpot/core/reduction.hpp"
#include "hpot/cost/marginal_penalty.hpp"
#include "hpot/kernel/operator.hpp"

#include <memory>

namespace hpot {

/// One side of a problem.
struct Marginal {
  OwnedRows rows;
  Field weight;      // a >= 0
  Field log_weight;  // log a, log_zero where a = 0
  MarginalPenalty penalty = Balanced{};
};

Marginal make_marginal(const OwnedRows& rows, const Field& weight, const MarginalPenalty& penalty);

struct TransportProblem {
  Marginal source;
  Marginal target;
  std::shared_ptr<KernelOperator> kernel;
  Real epsilon = 1.0;
};

/// h = log a + f/eps, the argument of softmin.
void add_log_weight(const ConstField& log_weight, const ConstField& potential, Real epsilon, const Field& h);

/// f = prox(s).
void apply_prox(const MarginalPenalty& penalty, const ConstField& s, Real epsilon, const Field& f);

/// s <- f + w (prox(s) - f) at every point where that wins at least w (2 - w)/2 of what the prox wins of the point's dual,
/// dual(f) - eps exp((f - s)/eps), elsewhere prox(s); 1 <= w < 2. So a half-step wins a fixed part of the plain one's gain at
/// any w, and Sinkhorn's proof of convergence holds [after Thibault, Chizat, Dossal, Papadakis 2021]. Local.
void relax(const MarginalPenalty& penalty, const ConstField& f, Real epsilon, Real w, const Field& s);

/// tv: f <- clamp(f, -rho, rho), in place: below -rho the dual is -infinity. Other penalties take any f.
void clamp_to_domain(const MarginalPenalty& penalty, const Field& f);

/// Residual of a side: sum a |exp((f-s)/eps) - exp((prox(s)-s)/eps)|; balanced, the L1 error of the marginal.
std::vector<Real> residual(const Marginal& side, const ConstField& f, const ConstField& s, Real epsilon);

/// Marginal of the plan: p_i = a_i exp((f_i - s_i)/eps).
void plan_marginal(const ConstField& weight, const ConstField& f, const ConstField& s, Real epsilon, const Field& p);

std::vector<Real> mass(const OwnedRows& rows, const ConstField& weight);
/// sum_i p_i v_i.
std::vector<Real> inner_product(const OwnedRows& rows, const ConstField& p, const ConstField& v);
/// Sum of the side's dual terms at f.
std::vector<Real> dual_term(const Marginal& side, const ConstField& f);
/// D(p | a).
std::vector<Real> penalty_value(const Marginal& side, const ConstField& p);
/// -sum a log a over a > 0 (weights of mass 1).
std::vector<Real> entropy(const OwnedRows& rows, const ConstField& weight);

}  // namespace hpot
