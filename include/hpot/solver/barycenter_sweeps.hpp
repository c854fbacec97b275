// The barycenter that L sweeps make of weights lambda, and the exact derivative of a function of it [Bonneel, Peyre, Cuturi 2016].
//
// Sweep l = 1, ..., L at eps_l, from f_k^0 = 0 and D^0 = 0 (barycenter_problem.hpp, data balanced):
//   g_k = softmin(log q + f_k/eps_l),  s_k^l = softmin(log b_k + g_k/eps_l),
//   r^l = log(p^l/q) = D^(l-1) - sum_k lambda_k s_k^l/eps_l - c,  f_k = s_k^l + eps_l r^l
//   plain: D = 0.  debiased: D^l = (D^(l-1) + r^l + T/eps_l)/2,  T = softmin(log q + D^(l-1))
// where c makes p^l a map of mass 1 (of several components of a surface: in all). It shifts all f_k alike, g back and s again, so that no p depends on it. eps_l falls from
// large values to that of the last sweeps: coarse structure is in place before the fine one. eps D is what carries over.
//
// Back from m = dF/dp^L, sum p m = 0. Adjoints are relative to a measure, so that each is a mean times an exponential near 1:
// phi_k of f_k, rho of r, delta of D and z_k of s_k to p^l, y_k of g_k to b_k. rho = m, phi = delta = 0 at L.
//   for l = L, ..., 1:  G_k -= <p^l rho, s_k^l>/eps_l,  z_k = phi_k - lambda_k rho/eps_l;  and to l - 1, at eps_l, with g of sweep l:
//     t_k = softmin(log q + f_k^l/eps_l),  y_k = -exp((g_k - t_k)/eps_l) mean[z_k],   weights exp(log q + (f_k^l - C)/eps_l)
//     phi_k <- -exp((f_k^(l-1) - s_k^l)/eps_l - r^(l-1)) mean[y_k],                   weights b_k exp((g_k - C)/eps_l)
//     delta <- (rho + delta/2) exp(r^l - r^(l-1)) - exp(D^(l-1) - U/eps_l - r^(l-1)) mean[delta]/2,
//              weights exp(h - C/eps_l), h = log p^l + T/eps_l, U = softmin(h)
//     rho <- eps sum_k phi_k + delta/2
// G is dF/dlambda up to a constant that is the same for all k. Two means and a softmin for each sweep, and another softmin where
// eps has just fallen; softmin and mean are all that is asked of the operator.
//
// The measures enter through s_k alone [Schmitz et al. 2018]: ds_k(i) = -eps_l sum_j w_ij dlog b_k(j), w_ij = b_kj exp((g_kj - C_ij
// + s_ki)/eps_l), and p^l exp(s_k/eps_l) = exp(log q + f_k/eps_l), so that p^l z_k . ds_k = eps_l sum_j b_kj y_kj dlog b_kj and
//     A_k = dF/db_k = sum over l = 1, ..., L of eps_l y_k^l,    y^1 with g of f = 0.
// It is finite where b_k = 0: there the derivative to the right. As p does not feel the masses of measures, sum_j b_kj A_kj = 0.
//
// Sweeps may begin with what those on a coarser grid have left (plain, lambda alone): points j of the data and of b lie there in
// sweep 1, whose first half-step is the coarser grid's own and whose second one leads from there to the points i here,
//   g_k = softmin(log q' + f'_k/eps_1) at j,   s_k^1 = softmin(log b'_k + g_k/eps_1) at i,
// and so on from r^1. Back over it t_k and y_k are means over the i at the j, phi_k at the coarser grid's points as above, with
// softmin(log b'_k + g_k/eps_1) there in place of s_k; from there on the coarser sweeps go back. So the derivative is that of all.
//
// Memory: the states s_k^l, r^l, D^l, as many as there are places; the others are made again when their turn comes
// (sweep_recall.hpp).
//
// Implicit: the derivative of the fixed point that the sweeps tend to. There all states are one, the last, and with J the derivative
// of a sweep in it the adjoint is m (1 - J)^-1 = m + m J + m J^2 + ...: steps back as above over the last state again and again,
// whose factors exp((g - t)/eps), exp((f - s)/eps - r) are 1, until the adjoints are 1e-8 of the first, at most L of them. Two means for
// each and one state in all. It differs from the derivative of p^L by as much as p^L differs from the fixed point.
#pragma once

#include "hpot/problem/barycenter_problem.hpp"
#include "hpot/solver/sweep_recall.hpp"

#include <functional>
#include <memory>

namespace hpot {

/// Which derivative reverse() gives: that of L sweeps, or that of their fixed point.
enum class SweepGradient { unrolled, implicit };

class BarycenterSweeps {
 public:
  /// `epsilons`: one for each sweep; problem.lambda and epsilon are not used. Holds `places` >= SweepRecall::fewest(L) states,
  /// implicit one.
  /// `before_sweep` is called before each; what it throws, on all ranks alike, reaches the caller. Arrays of the owned rows:
  /// log b and two fields of every owned measure, s and r of each state held, three of as many measures as go at once, three
  /// maps; debiased D of each state and two maps more. Local.
  BarycenterSweeps(BarycenterProblem problem, std::vector<Real> epsilons, Index places,
                   std::function<void()> before_sweep = {}, SweepGradient which = SweepGradient::unrolled);

  /// From now on the first sweep follows the last one of `coarser`, which has the same measures on a coarser grid; C_ij of `between`
  /// is the cost from point i of the barycenter here to point j there. Plain barycenters, no slope. Local.
  void begin_after(std::unique_ptr<BarycenterSweeps> coarser, std::shared_ptr<KernelOperator> between);

  /// log p^L for the weights of the owned measures. It stays until the next call. Collective.
  const Field& forward(const std::vector<Real>& lambda);
  /// G of the owned measures; once after each forward(). m is tangent: sum p m = 0. `slope`, one row for each measure, becomes A
  /// where it has values; a mean and a softmin or two more. Collective.
  std::vector<Real> reverse(const ConstField& m, const Field& slope = {});

  /// Measures of other values: log b of those owned. Local.
  void set_log_weights(const Field& log_weight) { problem_.log_weight = log_weight; }

  [[nodiscard]] const BarycenterProblem& problem() const { return problem_; }
  /// Sweeps here, those on coarser grids apart.
  [[nodiscard]] Index states() const { return static_cast<Index>(epsilons_.size()); }
  /// Sweeps that forward() and reverse() make, on all grids, those back apart.
  [[nodiscard]] Index sweeps() const { return recall_.sweeps() + (coarser_ == nullptr ? 0 : coarser_->sweeps()); }

 private:
  struct State {
    Index sweep = 0;
    Field s, log_ratio, log_d;  // log_d: debiased
  };
  [[nodiscard]] Real eps(Index sweep) const { return epsilons_[sweep - 1]; }
  void prepare(Real epsilon);
  void make(const State& before, const State& after);
  /// h = log b_k + g_k/eps at the data, g_k of the potentials that `before` has left; g may be any array of its size.
  void take_log_data(const State& before, Index first, Index count, Real epsilon, const Field& h, const Field& g) const;
  // sweeps_across_grids.cpp
  void prepare_between(Real epsilon);
  /// s of the first sweep after coarser ones.
  void carry(Index first, Index count, const Field& s) const;
  /// The adjoints of the first state become those of the coarser grid's last one, and these go back from there.
  void go_on_in_coarser();
  /// The steps back to the first state.
  void walk_back();
  /// Those over the last state, whose fixed point it is.
  void stay_at_last();
  /// D of `state` as the sweep at `epsilon` takes it; 0 where there is no state.
  void take_log_d(const State& state, Real epsilon, const Field& log_d) const;
  /// Holds the state that `sweep` begins with, and as many on the way as fit.
  void hold_before(Index sweep);
  /// h = log q + f_k/eps for the f that `before` has left, 0 where it is no state.
  void take_log_potential(const State& before, Index first, Index count, Real epsilon, const Field& h) const;
  /// y of last_, from z, in a_, added to slope_; g_ becomes that of the sweep.
  void step_back_to_data(const State& before, Index first, Index count);
  /// The adjoints of last_ become those of the state before it.
  void step_back(const State& before);
  void step_back_log_d(const State& before);
  /// G and z of last_.
  void add_gradient();
  [[nodiscard]] State free_place(Index sweep);
  /// `work(first, count)` for as many measures as go at once.
  void for_chunks(const std::function<void(Index first, Index count)>& work) const;

  BarycenterProblem problem_;
  std::vector<Real> epsilons_;
  SweepGradient which_;
  SweepRecall recall_;
  std::vector<State> places_, free_;
  std::function<void()> before_sweep_;
  Reference q_;
  std::unique_ptr<BarycenterSweeps> coarser_;
  std::shared_ptr<KernelOperator> between_;
  bool prepared_ = false;    // the kernel, at problem_.epsilon
  std::vector<State> held_;  // by sweep
  State last_;               // the one after those that are wanted
  Field z_;                  // phi between steps
  Field g_;                  // of the sweep stepped back over last, at its eps
  bool g_serves_ = false;    // as t of the next one
  Field h_, a_, t_;          // chunks of measures
  Field slope_;              // A, where it is asked for
  Field rho_, delta_;
  Field log_d_;              // as a sweep takes it
  Field log_map_, product_;  // log p^L; p rho
  std::vector<Real> gradient_;
};

/// eps of L sweeps: from `largest` by `factor`, one sweep each, to `target`, where at least half of them are. factor 1: all at target.
std::vector<Real> sweep_epsilons(Index sweeps, Real target, Real largest, Real factor);

}  // namespace hpot
