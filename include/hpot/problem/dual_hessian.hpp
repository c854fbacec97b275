// Gradient and Hessian of the semi-dual of entropic transport, matrix-free.
//
// With f = prox_a(softmin(log b + g/eps)) eliminated, D(g) = D_a*(f) + D_b*(g) - eps (sum P - m_a m_b) is concave, P the
// plan of (f, g), c = P'1 its target marginal, and, D_a* being at its maximum in f,
//   gradient    D'(g)_j = D_b*'(g_j) - c_j                                  (balanced: b - c)
//   Hessian     S = -eps D''(g),  S v = c (v - A_t[q A_s[v]]) + eps k v
//     A_s[v]_i = sum_j P_ij v_j / sum_j P_ij,  A_t[w]_j = sum_i P_ij w_i / sum_i P_ij      KernelOperator::average
//     q_i = prox_a'(s_i), k_j = -D_b*''(g_j)
//     balanced q = 1, k = 0;  kl q = rho/(rho + eps), k = b exp(-g/rho)/rho;  tv, range of the source: q is 0 or 1, the
//     generalised derivative of a gradient that has kinks but no jumps
// S is symmetric positive semidefinite; where both sides are balanced its kernel are the vectors that are constant on each
// connected component of the plan [Cuturi, Peyre 2018, Sect. 4; Peyre, Cuturi 2019, Sect. 4.3].
//
//   diag S = c - sum_i q_i P_ij^2 / r_i + eps k,   P_ij^2 = (a_i b_j)^2 exp((f_i + g_j - C_ij)/(eps/2))
// comes from one softmin at eps/2.
//
// Marginals are divided by a power of two near the target's mass, so that sums of squares stay inside a double. A batch of
// one. Fields are local, of the owned rows; all but the accessors are collective along rows where nothing else is said.
#pragma once

#include "hpot/problem/kept_plan.hpp"

namespace hpot {

class DualHessian {
 public:
  /// True where D is smooth: the target balanced or kl. tv and range of the target have kinks, which maxima lie on.
  static bool supports(const TransportProblem& problem);

  /// At (f, g), f = prox_a(softmin(log b + g/eps)). Keeps a reference of problem. One softmin.
  DualHessian(const TransportProblem& problem, const Field& f, const Field& g);
  /// Before many averages: keeps their weights where the operator does (KernelOperator::fix_average), the same bits.
  void fix_row_averages();
  /// Those of the columns, too; gives back what only those that are not kept need, and diagonal(), which must come before.
  void fix_averages();

  /// From here on S and its parts are those of P~ (kept_plan.hpp), symmetric and positive semidefinite as S is, with `damping`
  /// times diag(c~) added; the gradient stays that of P.
  void keep_plan(KeptPlan plan, Real damping);
  /// Null: none.
  [[nodiscard]] const KeptPlan* kept_plan() const { return kept_ ? &*kept_ : nullptr; }

  /// result = S v. v is any number where b = 0, result 0. Two averages. result must not alias v.
  void apply(const Field& v, const Field& result) const;

  /// S 1, 0 up to rounding where both sides are balanced. One average; none where the source is balanced.
  void row_sums(const Field& result) const;
  [[nodiscard]] Index products_of_row_sums() const { return is_balanced(problem_.source.penalty) ? 0 : 1; }
  /// result = A_s[v], on the source. One average.
  void row_averages(const Field& v, const Field& result) const;
  /// q_i r_i, r = P 1, on the source. Local.
  void row_terms(const Field& result) const;

  [[nodiscard]] const Field& gradient() const { return gradient_; }
  /// r = the gradient; where both sides are balanced less that multiple of c by which rounding lets it leave the range of S,
  /// so that sum r = 0.
  void right_hand_side(const Field& r) const;
  /// sum_j gradient_j v_j.
  [[nodiscard]] Real slope_along(const Field& v) const;
  /// The root of the mean of v_j^2, weighted by column_terms.
  [[nodiscard]] Real typical(const Field& v) const;
  /// c + eps k, which bounds diag S from above; 0 where b = 0.
  [[nodiscard]] const Field& column_terms() const { return column_terms_; }
  /// diag S into `diagonal`, not below a 1e-6th of column_terms. Two softmins, one of them at eps/2.
  void diagonal(const Field& diagonal) const;

  [[nodiscard]] const OwnedRows& rows() const { return problem_.target.rows; }
  [[nodiscard]] const OwnedRows& source_rows() const { return problem_.source.rows; }
  /// v <- w where b = 0.
  void set_unweighted(const Field& w, const Field& v) const;

 private:
  void average(Side side, const Field& v, const Field& mean) const;
  void times_prox_slope(const Field& values) const;
  void kept_diagonal(const Field& diagonal) const;
  void average_back(const Field& v, const Field& result) const;

  const TransportProblem& problem_;
  Field f_, g_;
  Real unit_;                  // the power of two
  Field h_source_, h_target_;  // log b + g/eps and log a + f/eps: arguments of the sums for outputs of the other side
  Field column_mass_, column_terms_;  // one where the target is balanced
  Field gradient_;
  Field means_;                                                    // on the source
  std::unique_ptr<FixedAverage> source_average_, target_average_;  // null: none is kept
  std::optional<KeptPlan> kept_;
};

/// sum_j x_j y_j and sum_j |x_j| over all points. Collective along rows.
Real dot(const OwnedRows& rows, const ConstField& x, const ConstField& y);
Real absolute_sum(const OwnedRows& rows, const ConstField& x);

}  // namespace hpot
