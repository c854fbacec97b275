// Exponentials of differences that may leave the range of doubles where a weight of zero meets them.
#pragma once

#include "hpot/core/types.hpp"

namespace hpot {

/// exp(x), or e^600 where that is more: times any weight or mean it stays finite, and 0 times it is 0.
KOKKOS_INLINE_FUNCTION Real bounded_exp(Real x) {
  constexpr Real most = 600.0;
  return Kokkos::exp(Kokkos::min(x, most));
}

}  // namespace hpot
