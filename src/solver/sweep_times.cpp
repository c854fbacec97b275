#include "hpot/solver/sweep_times.hpp"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace hpot {

std::vector<Real> sweep_seconds(const Communicator& world, Index count, const std::function<void()>& work) {
  std::vector<Real> seconds;
  for (Index i = 0; i < count; ++i) {
    world.barrier();
    const auto start = std::chrono::steady_clock::now();
    work();
    Kokkos::fence("hpot::sweep_seconds");
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  world.max(seconds);
  return seconds;
}

Real quantile(std::vector<Real> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

std::string steps_text(const Communicator& world, const StepTimes& times, Real sweeps) {
  const auto steps = times.seconds();  // the reductions below are steps, too
  std::ostringstream text;
  for (const auto& [name, seconds] : steps) {
    const Real own = seconds / sweeps;
    const Real least = -world.max(-own);
    const Real mean = world.sum(own) / world.size();
    text << (text.tellp() > 0 ? ";" : "") << name.substr(name.find(' ') + 1) << ' ' << least << '/' << mean << '/'
         << world.max(own);
  }
  return text.str();
}

}  // namespace hpot
