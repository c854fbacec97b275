// The inexact Newton finish of Sinkhorn's algorithm: where mixing sweeps slows down, the semi-dual is maximised by Newton's
// method with preconditioned conjugate gradients [Dembo, Eisenstat, Steihaug 1982; Brauer, Clason, Lorenz, Wirth 2017].
//
//   S x = D'(g),  |residual| <= max(min(0.1, sqrt(error)), 0.3 tolerance/error) |D'(g)| in the preconditioner's norm
//   g <- g + t eps x,  t = 1 first, or less where a potential would change by more than 50 eps
// with D, S and the preconditioner of problem/dual_hessian.hpp and dual_preconditioner.hpp.
//
// Step length. phi(t) = D(g + t eps x) is concave, so that its slope says what values, which rounding hides at errors of
// 1e-8, cannot: phi'(t) >= 0 proves ascent. A step is accepted where phi'(t) >= -phi'(0)/2 and the error has not doubled, or
// where the error is at most half of that before; else t shrinks, to where the secant of phi' vanishes, by 2 to 10.
//
// Safeguards. Steps begin where the error is at most `below`; sweeps, mixed as before, lead there. Back to sweeps, from the
// last g that was accepted, where a step shrinks 6 times or 3 steps in turn win less than a tenth of the error; steps begin
// again at a tenth of the error, and no more after 3 such failures. tv and range on the target have kinks that the maximum
// lies on: they stay with sweeps.
//
// A step is one advance(): its kernel products are counted as sweeps of two. It takes at most 200 conjugate gradient steps,
// and signals and time limits wait for its end. Memory: 13 fields, work arrays of KernelOperator::average, and the blocks';
// the memory of mixing is given back before.
#pragma once

#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/sinkhorn.hpp"

namespace hpot {

struct FinishOptions {
  std::string finish = "auto";
  Real below = 1e-4;

  /// auto: newton where the tolerance is below `below`.
  [[nodiscard]] bool wanted(Real tolerance) const {
    return finish == "newton" || (finish == "auto" && tolerance < below);
  }

  static std::vector<OptionKey> keys();
  static FinishOptions from(const Options& options);
};

/// Sweeps of `problem`, mixed as `mixing` says, and Newton steps where the error is at most `below`. Keeps a reference of
/// problem, whose map it advances.
std::unique_ptr<Acceleration> make_newton_finish(const AccelerationOptions& mixing, MultiscaleSinkhorn& problem,
                                                 Real below, Real tolerance);

}  // namespace hpot
