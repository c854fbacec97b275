// Reductions along one axis of a grid: the inner loops of the separable operator.
//
// All take an array A(batch, j, line), j < n_in on the axis that is reduced, and write B(batch, line, i), i < n_out: the
// axis moves from the front to the back, so that after as many passes as there are axes the order is the original one, and
// in every pass lines are contiguous (CPU lanes and GPU threads run across lines).
#pragma once

#include "hpot/kernel/operator.hpp"
#include "hpot/measure/grid.hpp"

namespace hpot {

/// Outputs [k * stretch, (k + 1) * stretch) of an axis share the search for their windows; so many are formed together.
inline constexpr Index stretch = 48;
inline constexpr Index rows_at_once = 6;

/// Costs between the points of two uniform axes whose spacings are small integer multiples of a common unit:
/// x_i - y_j = offset + unit * (step_out * i - step_in * j), so that one table over the integer serves all pairs.
class AxisCost {
 public:
  AxisCost() = default;
  /// Throws InputError where the spacings have no such common unit.
  AxisCost(const Cost& cost, const Axis& out, const Axis& in);

  [[nodiscard]] Index n_out() const { return n_out_; }
  [[nodiscard]] Index n_in() const { return n_in_; }
  [[nodiscard]] Real largest() const { return largest_; }

  /// Device tables; entry of the pair (i, j): table(step_out * i - step_in * j + shift).
  using Table = Kokkos::View<Real*, MemorySpace>;
  using Indices = Kokkos::View<Index*, MemorySpace>;
  Table cost;       // c
  Table scaled;     // c / eps, after prepare
  Table kernel;     // exp(-c / eps), after prepare, where it does not underflow
  Table ratios;     // after prepare, where c is quadratic: see largest_ratio
  Indices nearest;  // the j whose cost to i is smallest
  Index step_out = 1;
  Index step_in = 1;
  Index shift = 0;

  void prepare(Real epsilon);
  /// True when exp(-c/eps) of every pair is far from underflow: the scaled product form is exact then.
  [[nodiscard]] bool fits_product() const { return fits_product_; }
  /// The product form should be used: it fits, and at fixed rates windows would cost more. After prepare.
  [[nodiscard]] bool prefers_product() const { return fits_product_ && !(convex_ && windows_pay_); }
  /// True when the cost is convex along the axis, so that windows exist (second differences >= 0, to rounding).
  [[nodiscard]] bool convex() const { return convex_; }

  // After prepare, for windows:
  /// Outputs that share a window: 6, 12, 24 or 48.
  [[nodiscard]] Index group() const { return group_; }
  /// The entries that a group's window is expected to have.
  [[nodiscard]] Real expected_entries() const { return expected_entries_; }
  [[nodiscard]] Real largest_scaled() const { return largest_ / epsilon_; }
  /// m with exp(-c(i + d, j + q)/eps) = exp(m d q) F(d) G(q), infinity where c is not quadratic.
  [[nodiscard]] Real bilinear() const { return bilinear_; }
  /// `ratios` holds exp(m d q) for |q| <= largest_ratio in blocks of six consecutive d: entry (q + largest_ratio) * 6 + r of
  /// block b is that of d = 6 b - group/2 + r; one more block at the end has d = r - 3.
  [[nodiscard]] Index largest_ratio() const { return largest_ratio_; }

 private:
  void prepare_groups();

  Index n_out_ = 0;
  Index n_in_ = 0;
  Real largest_ = 0.0;
  Real second_difference_ = infinity;  // of a quadratic cost, for steps of one unit
  bool convex_ = false;
  bool fits_product_ = false;
  bool windows_pay_ = false;
  Real epsilon_ = 1.0;
  Real bilinear_ = infinity;
  Index group_ = rows_at_once;
  Real expected_entries_ = infinity;
  Index largest_ratio_ = 0;
};

/// Contiguous arrays of one pass. Outputs are i in [first, first + count).
struct AxisPass {
  const Real* in = nullptr;  // (batch, n_in, lines)
  Real* out = nullptr;       // (batch, lines, count)
  Index batch = 1;
  Index lines = 1;
  Index first = 0;
  Index count = 0;
  /// Lines that may share windows: runs of `run` lines (0: all), each `run_stride` after the one before. A run must not
  /// depend on how rows are divided over ranks, but by whole tiles of eight.
  Index run = 0;
  Index run_stride = 1;
  Real cut = 0.0;  // what a sum may lose, as a fraction of what it keeps; 0: all terms of every line
};

/// What a pass with this cut leaves out, as a fraction of what it keeps: 0 <= exact - B <= log(1 + that).
[[nodiscard]] Real fraction_cut(const AxisCost& cost, Real cut);

/// What log_sum_exp_along does for such a pass, for ledgers; means take as many exponentials and twice the products.
struct WindowCounts {
  double exps = 0.0;
  double products = 0.0;  // multiply-adds
};
[[nodiscard]] WindowCounts count_windows(const AxisCost& cost, const AxisPass& pass);

/// B = log sum_j exp(A_j - c_ij/eps), over the window of (tile of lines, i).
///
/// Windows [Aggarwal 1987]. With phi_i(j) = A_j - c_ij/eps and c convex, phi_i(j') - phi_i(j) does not decrease with i for
/// j < j' (Monge), for any A: what lies left of l(i), the first j within tau of max phi_i, has lost by more than tau for
/// every larger i; right of r(i) for every smaller one. Outputs [i0, i1] share [l(i0), r(i1)] of all lines of a tile;
/// tau = log(n_in/cut), and a slack for rounding.
/// Within a window exp(phi_i(j)) = E_j exp(m (i - ic) (j - jc)) F_i with E_j = exp(phi_ic(j)) where c is quadratic: one
/// exponential per entry and group of outputs, then products; groups are halved until their exponents stay within
/// +-300, to three outputs and then one.
/// Ledger per (line, i), w the window's width: w/group exps and w multiply-adds; the search costs about 10 + 2 n_in/48
/// comparisons. Bytes: 16 (a tile of lines stays in cache).
void log_sum_exp_along(const AxisCost& cost, const AxisPass& pass, Precision precision);

/// The same through the scaled product log(K exp(A - max A)): one multiply-add per pair. Needs cost.fits_product().
void product_along(const AxisCost& cost, const AxisPass& pass);

/// Log-sum-exp as above and, in out_mean, the mean of in_mean_j under its weights, over the same windows. The mean of a
/// line of zeros is 0. Double; w more multiply-adds.
void mean_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean);
/// The same of in_mean_j + c_ij, where null is zeros; w more multiply-adds.
void mean_cost_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean);

/// B = max_j (A_j + sign * c_ij) over A_j > log_zero / 2; log_zero where there is none. The positions of the maxima do not
/// decrease with i where sign < 0 and c is convex: then only those between two found ones are looked at.
void max_along(const AxisCost& cost, const AxisPass& pass, Real sign);

}  // namespace hpot
