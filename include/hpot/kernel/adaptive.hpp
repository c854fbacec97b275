// The operator of points in one to three dimensions that takes every term at large eps, and near pairs only at small eps.
//
// A sweep of the dense operator visits all N M pairs once, for both half-steps; of the truncated one, N V + M V' pairs, V and
// V' columns for each row. At each eps and precision the smaller number chooses. It is estimated from the points alone, so
// that the choice is the same on all ranks and in every run: with r the mean number of points y' of one side around one of its
// points y where C(y, y') <= eps log(1/cut), in d dimensions,
//
//   V = min(M, (r^(1/d) + 32^(1/d) + 8^(1/d))^d),
//
// since whole tiles of 32 columns are visited for groups of 8 rows. r is counted around 32 points, among 2048.
#pragma once

#include "hpot/kernel/truncated.hpp"

namespace hpot {

/// Local, as make_dense_operator. cut: as of the truncated operator.
std::unique_ptr<KernelOperator> make_adaptive_operator(const Cost& cost, const Points& source, const Points& target,
                                                       Range source_rows, Range target_rows, Real cut,
                                                       std::optional<Communicator> along_rows = {});

}  // namespace hpot
