// Scales of a problem's cost, which epsilon.unit refers to. Collective.
#pragma once

#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// Largest C_ij over a_i > 0 and b_j > 0.
Real largest_cost(const Communicator& world, const TransportProblem& problem);

/// sum a_i b_j C_ij / (m_a m_b). Leaves the kernel at eps = infinity.
Real mean_cost(const TransportProblem& problem);

/// Whether C_ij = C_ji of a kernel between a support and itself, to 1e-12 of `largest`, its largest cost, as a mean over many entries
/// feels it: sum_j w_j C_ij and sum_j w_j C_ji are compared for random weights w. Leaves the kernel at eps = infinity.
bool is_symmetric(KernelOperator& kernel, const OwnedRows& rows, Real largest);

}  // namespace hpot
