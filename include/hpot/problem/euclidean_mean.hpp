// The Euclidean barycenter of measures on one support, their mixture sum_k lambda_k b_k: what a Wasserstein barycenter is
// compared with.
#pragma once

#include "hpot/core/reduction.hpp"

namespace hpot {

/// One row, the owned points: sum over all measures of lambda_k b_k. `measures` and `lambda` are those owned along batches, each
/// measure the values of all points or the owned ones. Mass sum_k lambda_k |b_k|, to rounding; the same bits however measures
/// are divided over ranks (orderless_sum.hpp). Holds four rows. Collective.
Field euclidean_mean(const OwnedRows& rows, const Communicator& along_batches, const std::vector<Real>& lambda,
                     const std::vector<std::vector<Real>>& measures);

}  // namespace hpot
