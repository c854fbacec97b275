// Minimisation of a smooth function by L-BFGS [Liu, Nocedal 1989] with the line search of [More, Thuente 1994], through
// libLBFGS. Host, serial, local: ranks that give it the same numbers walk the same way, and a run that is told the values of
// an earlier one walks that one's way again.
#pragma once

#include "hpot/core/types.hpp"

#include <functional>
#include <vector>

namespace hpot {

struct SmoothFunction {
  /// The value at x; fills `gradient`, of x's size. What it throws ends the minimisation and reaches its caller.
  std::function<Real(const std::vector<Real>& x, std::vector<Real>& gradient)> evaluate;
  /// Called with the start and with the point after every step; true ends the minimisation there.
  std::function<bool(const std::vector<Real>& x, Real value, const std::vector<Real>& gradient)> accept;
};

/// From `x`, which becomes the last point that was accepted; a step follows the last `memory` ones. The first step has
/// length 1. False where even steepest descent finds no lower value: rounding has the last word. accept() must end it
/// otherwise.
bool minimise(const SmoothFunction& function, Index memory, std::vector<Real>& x);

}  // namespace hpot
