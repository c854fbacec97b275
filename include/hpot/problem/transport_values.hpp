// The values of a transport problem at given potentials, and bounds that certify them, in full precision and without ever
// storing the plan.
//
// Entropic problem, OT_eps of transport_problem.hpp:
//   dual_cost    D_a*(f) + D_b*(g) - eps (sum P - m_a m_b)  <=  OT_eps,  D* the dual terms of marginal_penalty.hpp
//   primal_cost  the cost of a feasible plan                >=  OT_eps
//   gap          primal_cost - dual_cost, formed without eps m_a m_b, which hides it at large masses. Where the plan is
//                feasible as it is (kl, tv on both sides), sum over points of p f + D(p | a) - D*(f) [Fenchel], each >= 0
//
// Feasible plans. kl, tv: P itself. One side balanced or range: its marginal is met by f <- softmin(log b + g/eps), or
// that clamped to the range. Both balanced: rounding [Altschuler, Weed, Rigollet 2017, Alg. 2]
//   f1 = min(f, softmin(log b + g/eps)),  g1 = min(g, softmin(log a + f1/eps)),  P'' = plan of (f1, g1)
//   P'' + e_a e_b'/d,   e_a = a - P'' 1,  e_b = b - P''' 1,  d = sum e_a = sum e_b
// whose entropy is bounded above by convexity of h(P) = sum P log(P/(a b)). At mass 1
//   h <= h(P'') + sum e_a log(e_a/a) + sum e_b log(e_b/b) - 2 d log d - (1-d) log(1-d)
// Any mass m: with a = m a^, b = m b^, P = m P^ and f^ = f + eps log m, P^ is the plan of (f^, g) for (a^, b^), and
//   OT_eps(a,b) = m OT_eps(a^,b^) + eps m (m - 1 - log m)
// so that all is done at mass 1, for any m of a double; the shift of f^ adds -eps d log m to the bound of the entropy.
// Balanced masses that differ by rounding (1e-9) are those of (m_a a^, m_a b^).
//
// Unregularised problem, OT_0 = min_P <P,C> + D_a + D_b over plans between the points of positive weight:
//   lower_cost   D_a*(phi) + D_b*(psi), the best of phi + psi <= C by hard c-transforms
//                  phi_i = min over b_j > 0 of (C_ij - g_j),  psi_j = min over a_i > 0 of (C_ij - phi_i),
//                the same from f, phi_i = min_j C_ij with psi = 0, and, balanced, dual_cost - eps m min(H(a^), H(b^)).
//                tv: potentials are clipped to [-rho, rho] (C >= 0)
//   upper_cost   <P,C> + D_a + D_b of the feasible plan; balanced <P'',C> + e_a' C e_b / d
// Both include their rounding errors, bounded in certificates.hpp, so that lower_cost <= OT_0 <= upper_cost holds as printed
// for the weights as given and the costs as the operator evaluates them (a few ulps). Where it keeps costs rounded to (1 +- u) C,
// OT_0 of those is within (1 +- u) of that of C, and the two bounds are wider by as much: they hold for both. dual_cost, primal_cost and gap are
// as evaluated: correct to about error_floor times the potentials.
//
// The operator may leave out a fraction of every sum (kernel.window_cut): residuals, values and bounds include it.
//
// Operators without explicit costs (heat) know dual_cost alone; those that keep near pairs only, the others' costs being
// infinite, have no rounded plan: of balanced measures transport_cost, dual_cost and lower_cost, which beyond mass times the
// largest cost proves that there is no plan at all.
//
// What no certificate is known for is infinite (lower_cost, dual_cost: -infinity; the others +infinity), as is what a
// double cannot hold: upper_cost, primal_cost and gap of range with range or balanced; everything of a plan whose mass
// overflows; dual_cost and primal_cost where m_a m_b does. Files and printouts leave such values out.
#pragma once

#include "hpot/problem/transport_problem.hpp"

#include <array>

namespace hpot {

struct TransportValues {
  Real residual_source = 0.0;  // L1, relative to the mass of the side
  Real residual_target = 0.0;
  Real plan_mass = 0.0;
  Real transport_cost = infinity;  // <P,C>, unrounded
  Real dual_cost = -infinity;
  Real primal_cost = infinity;
  Real gap = infinity;
  Real lower_cost = -infinity;  // of the unregularised cost
  Real upper_cost = infinity;
  Real error_floor = 0.0;  // u (max|f| + max|g|)/eps over positive weights: no smaller residual can be trusted
};

/// All of them, by the names that archives know.
struct NamedTransportValue {
  const char* name;
  Real TransportValues::*value;
};
inline constexpr std::array all_transport_values{
    NamedTransportValue{"residual_source", &TransportValues::residual_source},
    NamedTransportValue{"residual_target", &TransportValues::residual_target},
    NamedTransportValue{"plan_mass", &TransportValues::plan_mass},
    NamedTransportValue{"transport_cost", &TransportValues::transport_cost},
    NamedTransportValue{"dual_cost", &TransportValues::dual_cost},
    NamedTransportValue{"primal_cost", &TransportValues::primal_cost},
    NamedTransportValue{"gap", &TransportValues::gap},
    NamedTransportValue{"lower_cost", &TransportValues::lower_cost},
    NamedTransportValue{"upper_cost", &TransportValues::upper_cost},
    NamedTransportValue{"error_floor", &TransportValues::error_floor},
};

/// A batch of one. Collective over `world`, the ranks of both sides' rows; the same bits on any number of them. Sets the
/// kernel to full precision and problem.epsilon.
TransportValues evaluate_transport(const Communicator& world, const TransportProblem& problem, const ConstField& f,
                                   const ConstField& g);

/// The same for a batch of problems, without what only hard c-transforms and the largest cost give: lower_cost and
/// upper_cost. primal_cost and gap are known where both sides are balanced, of mass 1, and where both penalties are finite.
/// Every entry's values have the same bits whatever else is in the batch. `cost_bound` >= every cost.
std::vector<TransportValues> evaluate_batch(const TransportProblem& problem, const ConstField& f, const ConstField& g,
                                            Real cost_bound);

}  // namespace hpot
