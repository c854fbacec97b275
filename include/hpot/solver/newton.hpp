// The inexact Newton finish of Sinkhorn's algorithm: where mixing sweeps slows down, the semi-dual is maximised by Newton's
// method with preconditioned conjugate gradients [Dembo, Eisenstat, Steihaug 1982; Brauer, Clason, Lorenz, Wirth 2017].
//
//   S x = D'(g),  |residual| <= max(min(0.1, sqrt(error)), min(0.2, 0.3 tolerance/error)) |D'(g)| in the L1 norm
//   g <- g + t eps x,  t = 1 first; a point that is tied to the others loosely moves by 50 eps at most
// with D, S and the preconditioner of problem/dual_hessian.hpp and dual_preconditioner.hpp. A sweep follows every step: it
// smooths what the step, exact for low frequencies, has left of high ones.
//
// Step length. phi(t) = D(g + t eps x) is concave, so that its slope says what values, which rounding hides at errors of
// 1e-8, cannot: phi'(t) >= 0 proves ascent. A step is accepted where phi'(t) >= -phi'(0)/2 and the error has not doubled, or
// where the error is at most half of that before; else t shrinks, to where the secant of phi' vanishes, by 2 to 10.
//
// When, at every eps: once the error is at most `below` and either the last step, at whatever eps, moved potentials by more
// than a tenth of the present eps (root mean square; before the first step that is not known and taken to be so), or the last
// ten sweeps foretell that 30 more, about a step's price, do not reach the tolerance. Errors of low frequency hide in small
// residuals, double with every halving of eps when measured by it, and beyond a few eps no step can mend them: where steps
// are that long, no eps but the last is left before one has been made that is not longer than eps, whatever the error. Left to
// sweeps are problems whose steps are short, and kl with rho up to 4000 eps, which mixing solves in about sqrt(rho/eps).
//
// Safeguards. Sweeps, mixed as before, lead to the first step. Back to sweeps, from the last g that was accepted, where a
// step shrinks 6 times or 3 steps in turn win less than a tenth of the error; steps begin again at a tenth of the error, and
// no more after 3 such failures. tv and range on the target have kinks that the maximum lies on: they stay with sweeps.
//
// Clouds. Steps keep entries of the plan (problem/kept_plan.hpp), those of a sample of the sources where there is no room for
// more, and take runs of points for blocks. They are made where they are asked for: in clouds of heaps far from one another it
// is the heaps' potentials that are slow, a sweep moves them by eps times the part of a heap's mass that is amiss, and a step by
// what the sources between two heaps say. These change over a few eps: steps are Levenberg's and Marquardt's, with diag(c~) times
// the error, at most 1e-3, added to S [Yamashita, Fukushima 2001], no potential moves by more than 4 eps, a step stands wherever
// phi'(t) >= -phi'(0)/2, and sweeps follow it as long as each wins a fifth of the error. Coarse copies have too few such sources:
// they are left at 64 times the neighbour cost.
//
// A step is one advance(): its kernel products are counted as sweeps of two. It takes at most 200 conjugate gradient steps,
// and signals and time limits wait for its end. Memory, given back before by mixing: work arrays of
// KernelOperator::average and 8 fields (9 where the target is kl), with 3 more for each axis and half of the weights that are
// kept first, 3 more (2 less where weights are kept), the blocks' factor and all weights then; on
// clouds 8 fields, the entries and what kept_plan.hpp makes them of.
#pragma once

#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/sinkhorn.hpp"

namespace hpot {

struct FinishOptions {
  std::string finish = "auto";
  Real below = 1e-2;
  bool keeps_weights = true;  // of a step's averages: faster by some times, the same bits
  /// Of the plan of clouds, that a step keeps for each target.
  static constexpr Real most_entries = 256.0;
  /// Coarse copies of clouds are left at eps so many times as large as without steps.
  static constexpr Real finer = 64.0;

  /// Whether steps may be made on the way to `tolerance`: on grids; on clouds where they are asked for.
  [[nodiscard]] bool wanted(const Support& support, Real tolerance) const {
    const bool there = support.grid() != nullptr ? finish != "none" : support.cloud() != nullptr && finish == "newton";
    return there && tolerance < below;
  }

  static std::vector<OptionKey> keys();
  static FinishOptions from(const Options& options);
};

/// Sweeps of `problem`, on grids or clouds, mixed as `mixing` says, and Newton steps as `finish` does. Keeps a reference of
/// problem, whose map it advances.
std::unique_ptr<Acceleration> make_newton_finish(const AccelerationOptions& mixing, const FinishOptions& finish,
                                                 MultiscaleSinkhorn& problem);

}  // namespace hpot
