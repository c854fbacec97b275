// Seconds of this process in each profiling region (Kokkos::Profiling) that was entered while it lives, less those in the regions within it.
// Regions carry the names of an algorithm's steps: the same that any tool of Kokkos sees (KOKKOS_TOOLS_LIBS). Local.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hpot {

/// One at a time, and instead of a tool that was loaded: it takes the callbacks of regions.
class StepTimes {
 public:
  StepTimes();
  ~StepTimes();
  StepTimes(const StepTimes&) = delete;
  StepTimes& operator=(const StepTimes&) = delete;

  /// In the order in which they were first entered since the construction.
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& seconds() const;
};

}  // namespace hpot
