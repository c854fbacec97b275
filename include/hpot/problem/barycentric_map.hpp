// Barycentric projection of a plan: where the mass of each source point goes on average,
//
//   T(x_i) = sum_j P_ij y_j / sum_j P_ij = sum_j w_ij y_j,   w_ij ~ exp(h_j - C_ij/eps),  h = log b + g/eps
//
// for balanced and unbalanced plans alike. For the cost |x-y|^2, x - T(x) is half the gradient of softmin(h), so that T is
// smooth and stays defined where a_i = 0. As eps falls it becomes the optimal map where there is one [Pooladian,
// Niles-Weed 2021]. In the unit of the coordinates.
#pragma once

#include "hpot/measure/support.hpp"
#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// T(x) at the owned source rows of `kernel`, `points` of them, which need not be those of the plan: (axes, points), a grid's
/// axes counted fastest first (x, y, z). `target`, on `support`, is the plan's, g of its owned rows. The same the other way
/// round where the outputs are of the target. Sets the kernel to epsilon. Collective.
Field barycentric_image(KernelOperator& kernel, Index points, const Marginal& target, const Support& support,
                        const ConstField& g, Real epsilon, Side outputs = Side::source);

/// T(x) - x at the owned source rows: (axes, points), a grid's axes counted fastest first (x, y, z); 0 where it is not
/// finite. g is of the owned target rows. The same the other way round where the outputs are of the target. Sets the kernel
/// to problem.epsilon. Collective.
Field barycentric_displacement(const TransportProblem& problem, const Support& source, const Support& target,
                               const ConstField& g, Side outputs = Side::source);

}  // namespace hpot
