#include "hpot/core/sparse_cholesky.hpp"

#include <cholmod.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace hpot {

struct SparseCholesky::Factor {
  cholmod_common common{};
  cholmod_factor* factor = nullptr;
  bool positive = false;

  Factor() { cholmod_l_start(&common); }
  Factor(const Factor&) = delete;
  Factor& operator=(const Factor&) = delete;
  ~Factor() {
    cholmod_l_free_factor(&factor, &common);
    cholmod_l_finish(&common);
  }

  void require_memory() const {
    if (common.status == CHOLMOD_OUT_OF_MEMORY) throw std::bad_alloc();
  }
};

SparseCholesky::SparseCholesky(Index n, const std::vector<MatrixEntry>& lower) : factor_(std::make_shared<Factor>()) {
  cholmod_common& common = factor_->common;
  common.supernodal = CHOLMOD_SIMPLICIAL;  // no BLAS, whose threads might change the order of sums
  common.print = 0;
  constexpr int lower_triangle = -1;
  cholmod_triplet* triplets =
      cholmod_l_allocate_triplet(n, n, std::max<std::size_t>(1, lower.size()), lower_triangle, CHOLMOD_REAL, &common);
  factor_->require_memory();
  for (const MatrixEntry& entry : lower) {
    static_cast<SuiteSparse_long*>(triplets->i)[triplets->nnz] = entry.row;
    static_cast<SuiteSparse_long*>(triplets->j)[triplets->nnz] = entry.column;
    static_cast<Real*>(triplets->x)[triplets->nnz] = entry.value;
    ++triplets->nnz;
  }
  cholmod_sparse* matrix = cholmod_l_triplet_to_sparse(triplets, lower.size(), &common);
  cholmod_l_free_triplet(&triplets, &common);
  factor_->require_memory();
  factor_->factor = cholmod_l_analyze(matrix, &common);
  if (factor_->factor != nullptr) cholmod_l_factorize(matrix, factor_->factor, &common);
  cholmod_l_free_sparse(&matrix, &common);
  factor_->require_memory();
  if (factor_->factor == nullptr) throw std::logic_error("SparseCholesky: no matrix");
  factor_->positive = common.status == CHOLMOD_OK;
}

bool SparseCholesky::positive() const { return factor_->positive; }

Real SparseCholesky::bytes() const {
  constexpr Real of_entry = sizeof(Real) + sizeof(SuiteSparse_long);
  return of_entry * static_cast<Real>(factor_->factor->nzmax);
}

void SparseCholesky::solve(std::vector<Real>& b) const {
  struct Workspace {  // of its own, so that threads may solve at once
    cholmod_common common{};
    Workspace() { cholmod_l_start(&common); }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace() { cholmod_l_finish(&common); }
  } workspace;
  cholmod_dense right{};
  right.nrow = b.size();
  right.ncol = 1;
  right.nzmax = b.size();
  right.d = b.size();
  right.x = b.data();
  right.xtype = CHOLMOD_REAL;
  right.dtype = CHOLMOD_DOUBLE;
  cholmod_dense* solution = cholmod_l_solve(CHOLMOD_A, factor_->factor, &right, &workspace.common);
  if (solution == nullptr) throw std::bad_alloc();
  const Real* values = static_cast<const Real*>(solution->x);
  std::copy(values, values + b.size(), b.begin());
  cholmod_l_free_dense(&solution, &workspace.common);
}

}  // namespace hpot
