// Factorisation of a sparse symmetric positive definite matrix, A = L D L' after a permutation that keeps L sparse [Chen,
// Davis, Hager, Rajamanickam 2008, Algorithm 887: CHOLMOD]. Host, serial, local; the same bits on every rank and in every
// run.
#pragma once

#include "hpot/core/types.hpp"

#include <memory>
#include <vector>

namespace hpot {

struct MatrixEntry {
  Index row = 0;
  Index column = 0;
  Real value = 0.0;
};

class SparseCholesky {
 public:
  /// The lower triangle, row >= column, of an n x n matrix; entries of one place are added.
  SparseCholesky(Index n, const std::vector<MatrixEntry>& lower);

  /// False where a pivot is not positive: such a matrix is not solved with.
  [[nodiscard]] bool positive() const;

  /// What the factor takes.
  [[nodiscard]] Real bytes() const;

  /// b <- A^-1 b. Several threads may solve at once.
  void solve(std::vector<Real>& b) const;

 private:
  struct Factor;
  std::shared_ptr<Factor> factor_;
};

}  // namespace hpot
