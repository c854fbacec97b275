// Gradients of costs in the first argument, averaged under a plan's rows:
//
//   G(d, i) = sum_j w_ij dc/dx_d (x_i, y_j),   w_ij = exp(h_j + (s_i - C_ij)/eps),  s = softmin(h), so that sum_j w_ij = 1
//
// Ledger per pair and eight axes: the cost, one exponential, its slopes and 3 flops an axis. Double.
#pragma once

#include "hpot/kernel/dense.hpp"

namespace hpot {

/// The rows `rows` of `out` against all of `in`; h of all of `in`, s of the rows: (axes, rows). Sums go by the order of `in`:
/// their bits do not depend on the rank. Local.
Field mean_cost_gradient(const Cost& cost, const Points& out, Range rows, const Points& in, const ConstField& h,
                         const ConstField& s, Real epsilon);

}  // namespace hpot
