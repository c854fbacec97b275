#include "hpot/problem/dual_preconditioner.hpp"

#include "hpot/core/field.hpp"

#include <algorithm>
#include <map>

namespace hpot {
namespace {

using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<Index>>;

constexpr Real shift = 1e-8;

/// w_IJ by (I, J), J < I, both halves added; and the diagonal of B.
struct Couplings {
  std::map<std::pair<Index, Index>, Real> between;
  std::vector<Real> diagonal;
};

}  // namespace

DualPreconditioner::DualPreconditioner(const DualHessian& hessian, const BlockSpace* blocks, const Field& work)
    : blocks_(blocks),
      diagonal_(make_unset_field("hpot::DualPreconditioner::diagonal", 1, static_cast<Index>(work.extent(1)))) {
  if (blocks != nullptr) {
    const std::vector<Real> weights = blocks->sums(hessian.column_terms());
    Index count = 0;
    for (const Real weight : weights) number_.push_back(weight > 0.0 ? count++ : -1);
    Couplings couplings{{}, std::vector<Real>(weights.size())};
    for (std::size_t b = 0; b < weights.size(); ++b) couplings.diagonal[b] = shift * weights[b];
    std::vector<Real> total(weights.size(), 0.0);  // Z'S 1
    for (Index colour = 0; colour < blocks->colours(); ++colour) {
      blocks->indicate(colour, work);
      hessian.apply(work, diagonal_);
      const std::vector<Real> received = blocks->sums(diagonal_);
      for (Index b = 0; b < blocks->blocks(); ++b) {
        total[b] += received[b];
        const Index from = blocks->neighbour(b, colour);
        if (from < 0 || from == b || number_[b] < 0 || number_[from] < 0) continue;
        const Real half = 0.5 * std::max(0.0, -received[b]);
        couplings.between[std::minmax(b, from)] += half;
        couplings.diagonal[b] += half;
        couplings.diagonal[from] += half;
      }
    }
    std::vector<MatrixEntry> lower;
    for (Index b = 0; b < blocks->blocks(); ++b) {
      if (number_[b] >= 0) lower.push_back({number_[b], number_[b], couplings.diagonal[b] + std::max(0.0, total[b])});
    }
    for (const auto& [pair, w] : couplings.between) lower.push_back({number_[pair.second], number_[pair.first], -w});
    if (count > 0) coarse_.emplace(count, lower);
    kernel_products_ += 2 * blocks->colours();
  }
  hessian.diagonal(diagonal_);
  kernel_products_ += 2;
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
