// The linear solve of a Newton step (newton.hpp).
#pragma once

#include "hpot/problem/dual_preconditioner.hpp"

namespace hpot {

/// x with S x = D'(g), from 0, until the residual's L1 norm has fallen to `reduction` of its first value, or after 200 steps.
/// Returns the number of products with S. z is a work array; both are like g. Collective along rows.
Index conjugate_gradients(const DualHessian& hessian, const DualPreconditioner& preconditioner, const Field& x,
                          const Field& z, Real reduction);

}  // namespace hpot
