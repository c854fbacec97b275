#include "hpot/problem/dual_preconditioner.hpp"

#include "hpot/core/field.hpp"
#include "hpot/problem/block_couplings.hpp"

#include <algorithm>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real shift = 1e-8;

}  // namespace

DualPreconditioner::DualPreconditioner(const DualHessian& hessian, const BlockSpace* blocks, const Field& work)
    : blocks_(blocks) {
  if (blocks != nullptr) {
    const std::vector<Real> weights = blocks->sums(hessian.column_terms());
    Index count = 0;
    for (const Real weight : weights) number_.push_back(weight > 0.0 ? count++ : -1);
    const auto couplings = block_couplings(hessian, *blocks, work);
    hessian.row_sums(work);
    std::vector<Real> diagonal = blocks->sums(work);
    for (std::size_t b = 0; b < weights.size(); ++b) diagonal[b] = std::max(0.0, diagonal[b]) + shift * weights[b];
    std::vector<MatrixEntry> lower;
    for (const BlockCoupling& w : couplings) {
      if (number_[w.first] < 0 || number_[w.second] < 0) continue;
      lower.push_back({number_[w.second], number_[w.first], -w.weight});
      diagonal[w.first] += w.weight;
      diagonal[w.second] += w.weight;
    }
    for (std::size_t b = 0; b < weights.size(); ++b) {
      if (number_[b] >= 0) lower.push_back({number_[b], number_[b], diagonal[b]});
    }
    if (count > 0) coarse_.emplace(count, lower);
    kernel_products_ += products_of_couplings(*blocks) + hessian.products_of_row_sums();
  }
  diagonal_ = make_unset_field("hpot::DualPreconditioner::diagonal", 1, static_cast<Index>(work.extent(1)));
  hessian.diagonal(diagonal_);
  kernel_products_ += 2;
  if (hessian.kept_plan() != nullptr) kernel_products_ = 0;
}

void DualPreconditioner::apply(const Field& r, const Field& z) const {
  const ConstField from = r;
  const ConstField diagonal = diagonal_;
  Kokkos::parallel_for(
      "hpot::DualPreconditioner::apply", Policy(0, static_cast<Index>(r.extent(1))),
      KOKKOS_LAMBDA(Index j) { z(0, j) = diagonal(0, j) > 0.0 ? from(0, j) / diagonal(0, j) : 0.0; });
  if (!coarse_ || !coarse_->positive()) return;
  const std::vector<Real> sums = blocks_->sums(r);
  std::vector<Real> values;
  for (std::size_t b = 0; b < sums.size(); ++b) {
    if (number_[b] >= 0) values.push_back(sums[b]);
  }
  coarse_->solve(values);
  std::vector<Real> all(sums.size(), 0.0);
  for (std::size_t b = 0; b < sums.size(); ++b) {
    if (number_[b] >= 0) all[b] = values[number_[b]];
  }
  blocks_->add(all, z);
}

}  // namespace hpot
