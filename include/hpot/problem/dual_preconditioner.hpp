// Two-level additive preconditioner of the semi-dual's Hessian S.
//
//   M^-1 v = v / diag S + Z B^-1 Z'v,   Z the indicators of blocks of points, B about Z'SZ
//
// B is made of couplings w_IJ >= 0 between blocks (block_couplings.hpp) and of the row sums of S, which are not negative:
//   B_IJ = -w_IJ,  B_II = sum_J w_IJ + (Z'S 1)_I + shift (Z'c)_I
// is symmetric, diagonally dominant and positive definite however rough w is, with the constants where S has them. It is
// factorised on every rank [Nicolaides 1987; Chen, Davis, Hager, Rajamanickam 2008].
//
// Without blocks M is diag S alone. Members are collective along rows.
#pragma once

#include "hpot/core/sparse_cholesky.hpp"
#include "hpot/problem/block_space.hpp"
#include "hpot/problem/dual_hessian.hpp"

#include <optional>

namespace hpot {

class DualPreconditioner {
 public:
  /// Kernel products: 2 for the diagonal, those of block_couplings and of the row sums; none where the Hessian keeps its plan. `work`, a field of the target, is
  /// overwritten.
  DualPreconditioner(const DualHessian& hessian, const BlockSpace* blocks, const Field& work);

  /// z = M^-1 r. z must not alias r. r is 0 where b = 0.
  void apply(const Field& r, const Field& z) const;

  [[nodiscard]] Index kernel_products() const { return kernel_products_; }

 private:
  const BlockSpace* blocks_;
  Field diagonal_;
  std::vector<Index> number_;  // of a block among those that hold mass; -1: none
  std::optional<SparseCholesky> coarse_;
  Index kernel_products_ = 0;
};

}  // namespace hpot
