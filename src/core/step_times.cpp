#include "hpot/core/step_times.hpp"

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>

namespace hpot {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::pair<std::string, double>> times;
std::vector<std::size_t> open_regions;  // numbers in `times`, the innermost last
Clock::time_point since;                // the innermost has run by itself

/// To the innermost region.
void close_interval() {
  Kokkos::fence("hpot::StepTimes");
  const auto now = Clock::now();
  if (!open_regions.empty()) times[open_regions.back()].second += std::chrono::duration<double>(now - since).count();
  since = now;
}

void enter(const char* name) {
  close_interval();
  const auto found = std::find_if(times.begin(), times.end(), [&](const auto& entry) { return entry.first == name; });
  open_regions.push_back(found - times.begin());
  if (found == times.end()) times.emplace_back(name, 0.0);
}

void leave() {
  close_interval();
  if (!open_regions.empty()) open_regions.pop_back();
}

}  // namespace

StepTimes::StepTimes() {
  times.clear();
  open_regions.clear();
  Kokkos::Tools::Experimental::set_push_region_callback(enter);
  Kokkos::Tools::Experimental::set_pop_region_callback(leave);
}

StepTimes::~StepTimes() {
  Kokkos::Tools::Experimental::set_push_region_callback(nullptr);
  Kokkos::Tools::Experimental::set_pop_region_callback(nullptr);
}

const std::vector<std::pair<std::string, double>>& StepTimes::seconds() const { return times; }

}  // namespace hpot
