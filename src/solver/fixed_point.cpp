#include "hpot/solver/fixed_point.hpp"

#include "hpot/solver/acceleration.hpp"

#include <chrono>
#include <cmath>
#include <sstream>

namespace hpot {

Outcome solve(const Communicator& world, LeveledProblem& problem, const std::vector<Stage>& stages,
              const StoppingOptions& stopping, Acceleration& acceleration, const std::vector<Monitor*>& monitors) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  Outcome outcome;
  for (std::size_t n = 0; n < stages.size(); ++n) {
    const Stage& stage = stages[n];
    const bool final_stage = n + 1 == stages.size();
    FixedPointMap& map = problem.enter(stage.level);
    map.set_epsilon(stage.epsilon);
    acceleration.reset();
    outcome.epsilon = stage.epsilon;
    outcome.level = stage.level;
    while (true) {
      outcome.error = map.evaluate();
      ++outcome.iterations;
      outcome.seconds = elapsed();
      for (Monitor* monitor : monitors) {
        monitor->record({outcome.iterations, stage.level, stage.epsilon, outcome.error, outcome.seconds},
                        stage.tolerance, final_stage);
      }
      if (outcome.error <= stage.tolerance) break;
      if (!std::isfinite(outcome.error) && !acceleration.can_go_back()) outcome.reason = StopReason::diverged;
      if (outcome.iterations >= stopping.max_iterations) outcome.reason = StopReason::max_iterations;
      if (std::isfinite(stopping.time_limit) && world.any(outcome.seconds > stopping.time_limit))
        outcome.reason = StopReason::time_limit;
      if (outcome.reason != StopReason::converged) break;
      acceleration.advance(map, outcome.error);
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
          "  anderson with a larger acceleration.memory, and penalties (kl, tv) where the masses need not match "
          "exactly.\n"
          "  The result file holds the last state; its marginal_error says how far it is.\n";
  return text.str();
}

}  // namespace hpot
