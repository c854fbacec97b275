#include "hpot/solver/fixed_point.hpp"

#include "hpot/core/session.hpp"
#include "hpot/solver/acceleration.hpp"
#include "hpot/solver/keeper.hpp"

#include <chrono>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace hpot {

void FixedPointMap::archive(Archive& archive) {
  const std::vector<Field> fields = state();
  for (std::size_t n = 0; n < fields.size(); ++n) archive.values("field_" + std::to_string(n), fields[n]);
}

void FixedPointMap::relax(Real) { throw std::logic_error("this map has no over-relaxed half-steps"); }

void archive(Archive& archive, Outcome& outcome) {
  int reason = static_cast<int>(outcome.reason);
  archive.number("reason", reason);
  outcome.reason = static_cast<StopReason>(reason);
  archive.number("iterations", outcome.iterations);
  archive.number("error", outcome.error);
  archive.number("epsilon", outcome.epsilon);
  archive.number("level", outcome.level);
  archive.number("seconds", outcome.seconds);
}

namespace {

/// What to do beside the next sweep, agreed on by all ranks.
struct Wishes {
  StopReason reason = StopReason::converged;  // any other: it is the last sweep
  bool keep = false;
};

Wishes wishes_of(const Communicator& world, const StoppingOptions& stopping, const Keeper& keeper, double elapsed,
                 Index next_iteration) {
  std::vector<Real> flags{stopping.interruptible && stop_requested() ? 1.0 : 0.0,
                          elapsed > stopping.time_limit ? 1.0 : 0.0, keeper.due() ? 1.0 : 0.0};
  world.max(flags);
  Wishes wishes;
  if (next_iteration >= stopping.max_iterations) wishes.reason = StopReason::max_iterations;
  if (flags[1] > 0.0) wishes.reason = StopReason::time_limit;
  if (flags[0] > 0.0) wishes.reason = StopReason::interrupted;
  wishes.keep = flags[2] > 0.0 || wishes.reason != StopReason::converged;
  return wishes;
}

}  // namespace

Outcome solve(const Communicator& world, LeveledProblem& problem, const std::vector<Stage>& stages,
              const StoppingOptions& stopping, Acceleration& acceleration, const std::vector<Monitor*>& monitors,
              Keeper* given_keeper) {
  Keeper keeps_nothing;
  Keeper& keeper = given_keeper == nullptr ? keeps_nothing : *given_keeper;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  Outcome outcome;
  Index number = 0;
  Index sweeps_here = 0;  // of this run; every run makes one, however late it begins
  double seconds_before = 0.0;
  const Visit whole_state = [&](Archive& archive) {
    archive.number("stage", number);
    archive.number("iterations", outcome.iterations);
    double seconds = seconds_before + elapsed();
    archive.number("seconds", seconds);
    if (archive.loads()) seconds_before = seconds;
    FixedPointMap& map = problem.enter(stages.at(number).level);
    if (archive.loads()) {
      map.set_epsilon(stages[number].epsilon);
      acceleration.reset(map, stages[number].tolerance);
    }
    map.archive(archive);
    acceleration.archive(archive);
    for (Monitor* monitor : monitors) monitor->archive(archive);
  };
  bool resumed = keeper.resume(whole_state);
  for (; number < static_cast<Index>(stages.size()); ++number) {
    const Stage& stage = stages[number];
    const bool final_stage = number + 1 == static_cast<Index>(stages.size());
    FixedPointMap& map = problem.enter(stage.level);
    if (!resumed) {
      map.set_epsilon(stage.epsilon);
      acceleration.reset(map, stage.tolerance);
    }
    resumed = false;
    outcome.epsilon = stage.epsilon;
    outcome.level = stage.level;
    while (true) {
      const Wishes wishes =
          wishes_of(world, stopping, keeper, sweeps_here == 0 ? -infinity : elapsed(), outcome.iterations + 1);
      if (wishes.keep) keeper.keep(whole_state);
      outcome.reason = wishes.reason;
      outcome.error = map.evaluate();
      ++outcome.iterations;
      outcome.seconds = seconds_before + elapsed();
      for (Monitor* monitor : monitors) {
        monitor->record({outcome.iterations, stage.level, stage.epsilon, outcome.error, outcome.seconds},
                        stage.tolerance, final_stage);
      }
      if (outcome.error <= stage.tolerance && (final_stage || acceleration.content(outcome.error))) {
        if (final_stage) outcome.reason = StopReason::converged;
        break;
      }
      if (!std::isfinite(outcome.error) && !acceleration.can_go_back()) outcome.reason = StopReason::diverged;
      if (outcome.reason != StopReason::converged) break;
      acceleration.advance(map, outcome.error);
      outcome.iterations += acceleration.extra_sweeps();
      ++sweeps_here;
    }
    if (outcome.reason != StopReason::converged) break;
  }
  return outcome;
}

std::string advice(const Outcome& outcome, const StoppingOptions& stopping, Real target_epsilon, Real error_floor) {
  if (outcome.reason == StopReason::converged) return {};
  std::ostringstream text;
  text << "not converged: " << name(outcome.reason) << " after " << outcome.iterations << " sweeps, " << outcome.seconds
       << " s, at epsilon " << outcome.epsilon << " (target " << target_epsilon << "), marginal error " << outcome.error
       << " (tolerance " << stopping.tolerance << ").\n";
  if (outcome.reason == StopReason::diverged) {
    text << "  The potentials are no longer finite. Causes: weights or costs whose range exceeds that of a double; a "
            "plan that\n"
            "  no mass can follow. Try: input.normalize = true, a larger epsilon, acceleration.type = none.\n";
    return text.str();
  }
  if (outcome.epsilon > target_epsilon * (1.0 + 1e-12)) {
    text << "  It was still on the way down to the target: more sweeps (stopping.max_iterations) or time are needed.\n";
  }
  if (stopping.tolerance < error_floor) {
    text << "  The tolerance lies below the error floor " << error_floor
         << " of double precision at this epsilon: raise stopping.tolerance or epsilon.target.\n";
  }
  text << "  Sweeps grow like (largest cost)/epsilon: a twice as large epsilon needs about half of them. Also: "
          "acceleration.type =\n"
          "  anderson where it is another, a larger acceleration.memory, and penalties (kl, tv) where the masses need "
          "not "
          "match exactly.\n"
          "  The result file holds the last state; its marginal_error says how far it is.\n";
  return text.str();
}

}  // namespace hpot
