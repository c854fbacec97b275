// The weights of one pass of averages, kept: means of many arrays under the same weights then need no exponential, no
// logarithm and no search for windows (axis_kernels.hpp, mean_along).
//
// Ledger of a mean per (line, i), w the window's width, g the outputs that share it: w (1 + 1/g) multiply-adds; bytes
// 8 w/g weights and 24 more for the sum, the input and the output. Kept: 8 (1 + w/g) bytes.
#pragma once

#include "hpot/kernel/axis_kernels.hpp"

namespace hpot {

class KeptWeights {
 public:
  /// Those of `pass`, whose log-sums it writes to pass.out. Keeps nothing, and writes nothing, where that would take more
  /// than `most` values for each output, or where lanes are scalars (GPUs).
  KeptWeights(const AxisCost& cost, const AxisPass& pass, Real most);

  [[nodiscard]] bool empty() const { return values_.extent(0) == 0; }
  /// Of weights and sums.
  [[nodiscard]] double bytes() const {
    return sizeof(Real) * static_cast<double>(values_.extent(0) + reciprocals_.extent(0));
  }

  /// The bits of mean_along's out_mean. `cost` must be prepared with the eps of the weights.
  void mean(const AxisCost& cost, const Real* in_mean, Real* out_mean) const;

  /// Outputs that share their weights, and the entries that these are of.
  struct Window {
    Index first, outputs;  // of the axis; one, three, or a multiple of six
    Index left, count;
  };

 private:
  AxisPass pass_;
  Kokkos::View<Index* [3], MemorySpace> begins_;  // of each item's windows, weights and reciprocals of sums, in vectors
  Kokkos::View<Window*, MemorySpace> windows_;
  Kokkos::View<Real*, MemorySpace> values_;       // weights
  Kokkos::View<Real*, MemorySpace> reciprocals_;  // of sums of weights, 0 for lines of zeros
};

}  // namespace hpot
