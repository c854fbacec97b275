#include "hpot/io/fit_progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace hpot {

FitProgress make_fit_progress(const std::string& style, bool speaks, const std::string& error) {
  constexpr double growth = 1.5;
  if (style == "none" || !speaks) return [](const FitStep&) {};
  const bool terminal =
      style == "line" || (style == "auto" && isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0);
  return [terminal, error, printed = 0.0](const FitStep& now) mutable {
    const auto number = static_cast<long long>(now.number);
    if (terminal) {
      std::printf("\r\033[Kstep %lld  loss %.6e  %s %.2e  %.1f s", number, now.loss, error.c_str(), now.error,
                  now.seconds);
    } else {
      if (now.number == 0) std::printf("%10s %14s %12s %10s\n", "step", "loss", error.c_str(), "seconds");
      if (now.number > 0 && now.seconds < growth * printed) return;
      std::printf("%10lld %14.6e %12.3e %10.2f\n", number, now.loss, now.error, now.seconds);
    }
    printed = now.seconds;
    std::fflush(stdout);
  };
}

}  // namespace hpot
