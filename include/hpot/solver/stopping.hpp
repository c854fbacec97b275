// When a solve ends, and why.
#pragma once

#include "hpot/core/error.hpp"
#include "hpot/core/options.hpp"

namespace hpot {

enum class StopReason { converged, max_iterations, time_limit, interrupted, diverged };

[[nodiscard]] const char* name(StopReason reason);
[[nodiscard]] ExitCode exit_code(StopReason reason);
/// Stopped from outside: there is more to do.
[[nodiscard]] bool resumable(StopReason reason);

struct StoppingOptions {
  Real tolerance = 1e-4;         // on both sides' residuals, L1, relative to the mass
  Index max_iterations = 20000;  // sweeps, all levels and values of eps together
  Real time_limit = infinity;    // seconds
  bool interruptible = true;     // by signals; false: what contains this solve obeys them

  static std::vector<OptionKey> keys();
  static StoppingOptions from(const Options& options);
  /// The same for a solve that begins `seconds` after the run.
  [[nodiscard]] StoppingOptions after(double seconds) const;
};

}  // namespace hpot
