// What the machine can do at best, measured with the lanes that the kernels use and all threads of this process. Local.
//
//   exp_float      exp of 8-lane floats, summed; arguments in the first cache, four independent sums
//   exp_double     the same of doubles
//   multiply_add   x <- a x + b in registers, double, enough independent chains to hide the latency
//   memory_read    sum of an array far larger than the caches
//   memory_triad   z <- x + c y on such arrays; three of them count, the line that a store fetches first does not
#pragma once

#include "hpot/kernel/timing.hpp"

#include <array>

namespace hpot {

enum class Ceiling { exp_float, exp_double, multiply_add, memory_read, memory_triad };
inline constexpr std::array all_ceilings{Ceiling::exp_float, Ceiling::exp_double, Ceiling::multiply_add,
                                         Ceiling::memory_read, Ceiling::memory_triad};

/// As tables print them: "exp float".
[[nodiscard]] const char* name(Ceiling ceiling);
/// What one counts: "exp", "multiply-adds", "bytes".
[[nodiscard]] const char* unit(Ceiling ceiling);

/// Timing of `amount` units.
struct CeilingMeasurement {
  double amount = 0.0;
  Timing timing;
  [[nodiscard]] double per_second() const { return amount / timing.least; }
};

class Ceilings {
 public:
  /// Memory ceilings use three arrays of `array_bytes`.
  static Ceilings measure(const Effort& effort, Index array_bytes);
  [[nodiscard]] const CeilingMeasurement& at(Ceiling ceiling) const {
    return values_[static_cast<std::size_t>(ceiling)];
  }

 private:
  std::array<CeilingMeasurement, all_ceilings.size()> values_;
};

}  // namespace hpot
