// Barycenters of bounded slope, smoothed by total variation [Cuturi, Peyre 2016, A smoothed dual approach for variational
// Wasserstein problems]:
//
//   min over mu of sum_k lambda_k OT_eps(mu, nu_k) + tau TV(mu)
//   = max over f_k, |w_i|_2 <= tau, sum_k lambda_k f_k = -grad'w, of the duals of OT_eps     (problem/total_variation.hpp)
//
// For given g_k the best f_k and w are those of a prox: mu = q exp(base - grad'w/eps) = argmin eps KL(mu | q exp(base)) + tau TV(mu),
// base = -sum_k lambda_k s_k/eps (+ D of other methods), f_k = s_k + eps log(mu/q). A sweep maximises over the g_k and over (f_k, w) in
// turn: ascent in one concave dual [Chizat et al. 2018]. The prox is found by accelerated projected ascent in w, which begins
// where the sweep before ended, with the restart of [O'Donoghue, Candes 2015].
//
// Error of mu: both KL are sum (mu - p) log(mu/p) >= sum 2 (mu - p)^2/(mu + p) >= 2 |mu - p|_1^2/(mass(mu) + mass(p)), p the prox, so
// that with r = |mu - p|_1/mass(mu), mass(p) <= (1 + r) mass(mu) and z = gap/(eps mass(mu)):  r^2 <= (1 + r/2) z. With the
// marginals' error it is zero at the optimum only: |w_i| <= tau and <w, grad mu> = tau TV(mu) are what is left of the optimum's
// conditions where all P_k 1 = mu.
#pragma once

#include "hpot/core/archive.hpp"
#include "hpot/problem/total_variation.hpp"

namespace hpot {

class VariationProx {
 public:
  /// tau > 0. Two fields of (dimension, owned points) and a plane; `w` of that shape is taken over, else it is 0. Local.
  VariationProx(const OwnedRows& rows, const GridSteps& steps, Real tau, const Field& w);

  /// log_ratio, the base, becomes that of mu. Steps until the error, relative to the mass of mu, is `wanted`, or for a fixed number
  /// at most. `scratch`: (1, points). Collective.
  void apply(const Field& log_ratio, Real epsilon, Real wanted, const Field& scratch);
  /// The same at the present w. Collective.
  void add(const Field& log_ratio, Real epsilon) const { add_divergence(slab_, log_ratio, w_, epsilon, log_ratio); }
  /// Collective.
  [[nodiscard]] Variation measure(const ConstField& log_ratio) const;
  /// Relative to the mass. Collective.
  [[nodiscard]] Real error(const Variation& variation, const ConstField& log_ratio, Real epsilon) const;

  [[nodiscard]] const Field& dual() const { return w_; }
  void archive(Archive& archive);

 private:
  GridSlab slab_;
  Reference reference_;
  Real tau_;
  Field w_, y_;
  Real t_ = 1.0;  // of the momentum, which goes on from sweep to sweep: bases hardly move in the end
};

}  // namespace hpot
