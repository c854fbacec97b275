// Points of a support for an operator that copies what it keeps of them.
#pragma once

#include "hpot/kernel/dense.hpp"
#include "hpot/measure/support.hpp"

#include <type_traits>

namespace hpot {

/// Whether a cloud's own array serves: where kernels work in the host's memory.
inline constexpr bool clouds_are_lent = std::is_same_v<MemorySpace, Kokkos::HostSpace>;

/// Coordinates as the cost takes them, (point, axis), for as long as this is there; not to be written to.
struct LentPoints {
  PointCloud owner;  // of the array, where it is a cloud's
  Points points;
};
LentPoints lend_points(const Cost& cost, const Support& support);

}  // namespace hpot
