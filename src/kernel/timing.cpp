#include "hpot/kernel/timing.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace hpot {

Timing time_of(const Effort& effort, const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  work();
  Kokkos::fence("hpot::time_of");
  std::vector<double> seconds;
  const auto first = Clock::now();
  do {
    const auto start = Clock::now();
    work();
    Kokkos::fence("hpot::time_of");
    seconds.push_back(since(start));
  } while (static_cast<Index>(seconds.size()) < effort.repetitions || since(first) < effort.seconds);
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2], seconds.back()};
}

}  // namespace hpot
