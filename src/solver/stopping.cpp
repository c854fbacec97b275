#include "hpot/solver/stopping.hpp"

namespace hpot {

const char* name(StopReason reason) {
  switch (reason) {
    case StopReason::converged:
      return "converged";
    case StopReason::max_iterations:
      return "max_iterations";
    case StopReason::time_limit:
      return "time_limit";
    case StopReason::interrupted:
      return "interrupted";
    case StopReason::diverged:
      return "diverged";
  }
  return "unknown";
}

ExitCode exit_code(StopReason reason) {
  switch (reason) {
    case StopReason::converged:
      return ExitCode::done;
    case StopReason::time_limit:
    case StopReason::interrupted:
      return ExitCode::interrupted;
    case StopReason::max_iterations:
    case StopReason::diverged:
      break;
  }
  return ExitCode::not_converged;
}

bool resumable(StopReason reason) { return reason == StopReason::time_limit || reason == StopReason::interrupted; }

std::vector<OptionKey> StoppingOptions::keys() {
  constexpr Index many = Index{1} << 53;
  return {
      {"stopping.tolerance", "1e-4", "stop when the L1 error of the marginals, relative to the mass, is at most this",
       check::real(1e-15, 1.0)},
      {"stopping.max_iterations", "20000", "sweeps, over all levels and values of eps", check::integer(1, many)},
      {"stopping.time_limit", "none",
       "seconds of the run, or none; the state is kept (checkpoint.file) and the program exits with 4",
       check::word_or({"none"}, check::positive())},
  };
}

StoppingOptions StoppingOptions::after(double seconds) const {
  StoppingOptions rest = *this;
  rest.time_limit -= seconds;
  return rest;
}

StoppingOptions StoppingOptions::from(const Options& options) {
  StoppingOptions result{options.real("stopping.tolerance"), options.integer("stopping.max_iterations"), infinity};
  if (options.text("stopping.time_limit") != "none") result.time_limit = options.real("stopping.time_limit");
  return result;
}

}  // namespace hpot
