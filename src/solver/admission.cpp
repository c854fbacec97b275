// Whether a plan fits resources.memory_limit, what would, and the words for it. Part of work_plan.hpp.
#include "plan_sizes.hpp"

#include <algorithm>
#include <cstdio>

namespace hpot {

std::string describe(const WorkPlan& plan, int ranks) {
  constexpr Real mebibyte = 0x1p20;
  std::string text = "memory per rank, of " + std::to_string(ranks) + ", most of it in: " + plan.phase + "\n";
  char line[160];
  for (const PlannedArrays& some : plan.arrays) {
    if (some.bytes <= 0.0) continue;
    std::snprintf(line, sizeof line, "  %10.1f MiB  %s\n", some.bytes / mebibyte, some.name.c_str());
    text += line;
  }
  std::snprintf(line, sizeof line, "  %10.1f MiB  in all, beside the program at its start (%.0f MiB)\n",
                plan.bytes() / mebibyte, static_cast<Real>(memory_at_start()) / mebibyte);
  text += line;
  if (plan.terms_per_sweep <= 0.0) return text;
  std::snprintf(line, sizeof line, "  %10.3g terms per sweep on the given grid\n", plan.terms_per_sweep);
  return text + line;
}

namespace {

/// anderson with as many sweeps as fit, or momentum.
template <class Fits>
AccelerationOptions most_mixing(const AccelerationOptions& asked, const Fits& fits) {
  constexpr Index fewest = 3;  // with fewer, momentum is as good
  for (Index memory = asked.memory; memory >= std::min(fewest, asked.memory); --memory) {
    if (fits({"anderson", memory})) return {"anderson", memory};
  }
  return {"momentum", asked.memory};
}

/// Changes, each by itself, that make a plan fit `room`.
std::string what_fits(const Planner& planner, const AccelerationOptions& acceleration, int ranks, Real room) {
  constexpr int most_ranks = 1 << 14;
  const auto fits = [&](const AccelerationOptions& other, int others) {
    const auto plan = planner(other, others);
    return plan && plan->bytes() <= room;
  };
  const AccelerationOptions momentum{"momentum", acceleration.memory};
  const AccelerationOptions none{"none", acceleration.memory};
  std::string text;
  const auto offer = [&](const std::string& what) { text += (text.empty() ? "" : ", or ") + what; };
  for (Index memory = acceleration.memory - 1; acceleration.type == "anderson" && memory >= 1; --memory) {
    if (!fits({acceleration.type, memory}, ranks)) continue;
    offer("acceleration.memory = " + std::to_string(memory));
    break;
  }
  if (acceleration.type == "anderson" && fits(momentum, ranks)) {
    offer("acceleration.type = momentum");
  } else if (acceleration.type != "none" && fits(none, ranks)) {
    offer("acceleration.type = none");
  }
  const auto least_ranks = [&](const AccelerationOptions& other) {
    for (int others = ranks + 1; others <= most_ranks; ++others) {
      if (fits(other, others)) return others;
    }
    return 0;
  };
  if (const int others = least_ranks(acceleration); others > 0) offer(std::to_string(others) + " ranks");
  if (text.empty()) {
    if (const int others = least_ranks(none); others > 0)
      offer("acceleration.type = none on " + std::to_string(others) + " ranks");
  }
  return text.empty() ? "no number of ranks makes it fit: use a coarser grid, or raise the limit"
                      : "what would fit: " + text;
}

}  // namespace

AdmittedRun admit(const Communicator& world, const Options& options, const AccelerationOptions& asked,
                  const AccelerationOptions& without_limit, const Planner& planner) {
  const auto limit = ResourceOptions::from(options).memory_limit;
  const Real at_start = world.max(static_cast<Real>(memory_at_start()));
  const auto plan_of = [&](const AccelerationOptions& acceleration) {
    return planner(acceleration, world.size()).value_or(WorkPlan{});
  };
  AccelerationOptions acceleration = without_limit;
  if (asked.type == "auto" && limit) {
    acceleration =
        most_mixing(asked, [&](const AccelerationOptions& some) { return at_start + plan_of(some).bytes() <= *limit; });
  }
  const WorkPlan plan = plan_of(acceleration);
  if (options.action() == Options::Action::dry_run && world.rank() == 0)
    std::printf("%s  acceleration: %s\n", describe(plan, world.size()).c_str(), acceleration.text().c_str());
  if (!limit || at_start + plan.bytes() <= *limit) return {plan, acceleration};
  reject_plan(options, plan, at_start, what_fits(planner, acceleration, world.size(), *limit - at_start));
}

void reject_plan(const Options& options, const WorkPlan& plan, Real at_start, const std::string& what_fits) {
  std::vector<PlannedArrays> largest = plan.arrays;
  std::sort(largest.begin(), largest.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  constexpr std::size_t shown = 2;
  std::string why = "a rank would hold " + bytes_text(at_start + plan.bytes()) + " in its " + plan.phase;
  for (std::size_t a = 0; a < std::min(shown, largest.size()); ++a)
    why += (a == 0 ? ": " : ", ") + bytes_text(largest[a].bytes) + " " + largest[a].name;
  options.reject("resources.memory_limit", why, what_fits);
}

FinishOptions admitted_finish(const Communicator& world, const Options& options, const TransportSettings& settings,
                              const TransportRun& run) {
  const auto limit = ResourceOptions::from(options).memory_limit;
  if (!limit) return settings.finish;
  const Real room = *limit - world.max(static_cast<Real>(memory_at_start()));
  TransportSettings least = settings;
  least.acceleration = settings.acceleration.resolved("momentum");
  const auto fits = [&] { return plan_transport(least, run).bytes() <= room; };
  if (!fits()) least.finish.keeps_weights = false;
  if (!fits() && least.finish.finish == "auto") least.finish.finish = "none";
  return least.finish;
}

}  // namespace hpot
