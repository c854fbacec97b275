// Derivatives of OT_eps(a, b) (transport_problem.hpp) by the weights and by the places of the points, eps and rho held fixed.
//
// At the optimum only what stands in the problem itself counts [Danskin]. The dual
//   sum a_i D*(f_i) + sum b_j D*(g_j) - eps (sum a_i b_j exp((f_i + g_j - C_ij)/eps) - m_a m_b)
// D* the penalty's dual term of weight 1, gives, with s = softmin(log b + g/eps) and p_i/a_i = exp((f_i - s_i)/eps),
//   dOT/da_i = D*(f_i) + eps (m_b - p_i/a_i)
// that is f_i + eps (m_b - 1) balanced; kl rho (1 - exp(-f_i/rho)), tv min(f_i, rho), range min(lo f_i, hi f_i) in the place
// of f_i. The last term is what the reference a (x) b adds. It holds for a_i = 0, too: the derivative from above.
//   dOT/dx_i = sum_j P_ij grad_1 c(x_i, y_j) = p_i sum_j w_ij grad_1 c(x_i, y_j),    of |x-y|^2: 2 p_i (x_i - T(x_i))
// T the barycentric map (barycentric_map.hpp). Alike for b and y.
//
// Both sides balanced: only weights of equal mass have a plan, and (G_a + t, G_b - t) is as good for any t. It is chosen so
// that <a, G_a>/m_a = <b, G_b>/m_b; then <G_a, da> + <G_b, db> is right for any change that keeps the masses equal, also of
// one side alone where its mass stays. Weights are those of the problem solved: of input.normalize = true the normalised ones.
//
// The Sinkhorn divergence OT(a,b) - OT(a,a)/2 - OT(b,b)/2 + eps (m_a - m_b)^2/2 has the gradient G(a,b) - (G_1 + G_2)(a,a)/2 + eps
// (m_a - m_b) by a, G_1 and G_2 those of both sides of the problem of a with itself; by x the same without the last term.
//
// Where f or g are not unique or a penalty has its kink there (tv, range) it is one of the derivatives of the two sides; for
// euclidean costs and power with p < 2 terms with x_i = y_j count as 0. Errors are those of the potentials: about
// the tolerance of the run times eps for weights, times the gradient of the cost for places.
#pragma once

#include "hpot/kernel/registry.hpp"
#include "hpot/problem/transport_problem.hpp"

namespace hpot {

/// (1, points) of the owned rows.
struct WeightGradient {
  Field source, target;
};
/// f and g are of the owned rows. Sets the kernel to full precision and problem.epsilon. Collective.
WeightGradient weight_gradient(const TransportProblem& problem, const ConstField& f, const ConstField& g);

/// Of the owned rows of `side`, in clouds: (axes, points). `kernel` is what problem.kernel was made with. Sets that to full
/// precision and problem.epsilon. Collective.
Field place_gradient(const TransportProblem& problem, Side side, const KernelOptions& kernel, const Support& source,
                     const Support& target, const ConstField& f, const ConstField& g);

}  // namespace hpot
