// The values of a transport problem at given potentials, in full precision, without ever storing the plan.
//
// Balanced marginals are met exactly by rounding [Altschuler, Weed, Rigollet 2017, Alg. 2]: f is lowered to
// f1 = min(f, softmin(log b + g/eps)), then g to g1 = min(g, softmin(log a + f1/eps)), and what is missing, e_a and e_b of
// mass d, is added as the product e_a e_b'/d. The entropy of the sum is bounded above by convexity, so primal_cost is a
// certified upper bound of OT_eps for a balanced problem of mass 1, and the plan of an unbalanced one is feasible as it is.
#pragma once

#include "hpot/problem/transport_problem.hpp"

namespace hpot {

struct TransportValues {
  Real residual_source = 0.0;  // L1, relative to the mass of the side
  Real residual_target = 0.0;
  Real plan_mass = 0.0;
  Real transport_cost = 0.0;  // <P,C>, unrounded
  Real dual_cost = 0.0;
  Real primal_cost =
      0.0;  // NaN-free: infinity where no certificate is known (range penalties, balanced mass other than 1)
  Real upper_cost = 0.0;   // <P,C> of the rounded plan: an upper bound of the unregularised cost (balanced)
  Real error_floor = 0.0;  // u (max|f| + max|g|)/eps over positive weights: no smaller residual can be trusted

  [[nodiscard]] Real gap() const { return primal_cost - dual_cost; }
};

/// A batch of one. Collective over `world`. Sets the kernel to full precision and problem.epsilon.
TransportValues evaluate_transport(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                                   const ConstField& g);

}  // namespace hpot
