// Reductions along one axis of a grid: the inner loops of the separable operator.
//
// All take an array A(batch, j, line), j < n_in on the axis that is reduced, and write B(batch, line, i), i < n_out: the
// axis moves from the front to the back, so that after as many passes as there are axes the order is the original one, and
// in every pass lines are contiguous (CPU lanes and GPU threads run across lines).
#pragma once

#include "hpot/kernel/operator.hpp"
#include "hpot/measure/grid.hpp"

namespace hpot {

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
  Indices nearest;  // the j whose cost to i is smallest
  Index step_out = 1;
  Index step_in = 1;
  Index shift = 0;

  void prepare(Real epsilon);
  /// True when exp(-c/eps) of every pair is far from underflow: the scaled product form is exact then.
  [[nodiscard]] bool fits_product() const { return fits_product_; }

 private:
  Index n_out_ = 0;
  Index n_in_ = 0;
  Real largest_ = 0.0;
  bool fits_product_ = false;
};

/// Contiguous arrays of one pass. Outputs are i in [first, first + count).
struct AxisPass {
  const Real* in = nullptr;  // (batch, n_in, lines)
  Real* out = nullptr;       // (batch, lines, count)
  Index batch = 1;
  Index lines = 1;
  Index first = 0;
  Index count = 0;
};

/// B = log sum_j exp(A_j - c_ij/eps), terms below exp(-45) of the largest left out where whole blocks of them lie together:
/// the sum changes by less than its rounding.
/// Ledger per (line, i): n_in/8 block bounds; per candidate pair 5 flops for the maximum, 5 + one exp for the sum; 16/n_in
/// bytes of memory per pair (a tile of lines stays in cache).
void log_sum_exp_along(const AxisCost& cost, const AxisPass& pass, Precision precision);

/// The same through the scaled product log(K exp(A - max A)): one multiply-add per pair. Needs cost.fits_product().
void product_along(const AxisCost& cost, const AxisPass& pass);

/// Log-sum-exp as above and, in out_mean, the mean of in_mean_j under its weights; the same blocks are left out. The mean
/// of a line of zeros is 0. Double, one exp per candidate pair.
void mean_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean);
/// The same of in_mean_j + c_ij.
void mean_cost_along(const AxisCost& cost, const AxisPass& pass, const Real* in_mean, Real* out_mean);

/// B = max_j (A_j + sign * c_ij) over A_j > log_zero / 2; log_zero where there is none.
void max_along(const AxisCost& cost, const AxisPass& pass, Real sign);

}  // namespace hpot
