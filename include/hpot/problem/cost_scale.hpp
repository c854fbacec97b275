// Scales of a problem's cost, which epsilon.unit refers to. Collective.
#pragma once

#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// Largest C_ij over a_i > 0 and b_j > 0.
Real largest_cost(const Communicator& world, const TransportProblem& problem);

/// sum a_i b_j C_ij / (m_a m_b). Leaves the kernel at eps = infinity.
Real mean_cost(const TransportProblem& problem);

}  // namespace hpot
