// Types that every module shares. One alias each, so that precision and memory space are decided here.
#pragma once

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <limits>

namespace hpot {

using Real = double;
using Index = std::int64_t;

using ExecutionSpace = Kokkos::DefaultExecutionSpace;
using MemorySpace = ExecutionSpace::memory_space;

/// Every weight and potential: (batch, point), row-major. A single problem is a batch of one.
using Field = Kokkos::View<Real**, Kokkos::LayoutRight, MemorySpace>;
using ConstField = Kokkos::View<const Real**, Kokkos::LayoutRight, MemorySpace>;
using HostField = Kokkos::View<Real**, Kokkos::LayoutRight, Kokkos::HostSpace>;

inline constexpr Real infinity = std::numeric_limits<Real>::infinity();

/// Half-open interval of global indices.
struct Range {
  Index begin = 0;
  Index end = 0;
  [[nodiscard]] Index size() const { return end - begin; }
};

}  // namespace hpot
