#include "hpot/solver/monitor.hpp"

#include <unistd.h>

#include <cmath>
#include <deque>
#include <string>

namespace hpot {
namespace {

constexpr std::size_t most_entries = 4096;
constexpr double terminal_interval = 0.2;  // seconds between rewrites
constexpr double table_growth = 1.5;       // a log line when the time has grown by this factor
constexpr std::size_t window = 50;         // sweeps that the convergence rate is read from

class ProgressMonitor final : public Monitor {
 public:
  explicit ProgressMonitor(bool terminal) : terminal_(terminal) {}
  ~ProgressMonitor() override {
    if (started_ && (terminal_ || printed_ != last_.seconds)) print(last_, last_tolerance_, true);
    if (terminal_ && started_) std::fputc('\n', out_);
    std::fflush(out_);
  }

  void record(const HistoryEntry& entry, Real tolerance, bool final_stage) override {
    const bool new_stage = !started_ || entry.epsilon != last_.epsilon || entry.level != last_.level;
    if (!started_ && !terminal_)
      std::fprintf(out_, "%10s %6s %12s %15s %10s  %s\n", "sweep", "level", "epsilon", "marginal_error", "seconds",
                   "left");
    if (new_stage) recent_.clear();
    recent_.push_back(entry);
    if (recent_.size() > window) recent_.pop_front();
    started_ = true;
    last_ = entry;
    last_tolerance_ = final_stage ? tolerance : 0.0;
    const bool due = terminal_ ? entry.seconds - printed_ > terminal_interval
                               : entry.seconds > 1.0 && entry.seconds > table_growth * printed_;
    if (due) print(entry, last_tolerance_, false);
  }

 private:
  /// Seconds until the error reaches the tolerance at its recent rate.
  [[nodiscard]] std::string time_left(Real tolerance) const {
    const HistoryEntry& first = recent_.front();
    const HistoryEntry& last = recent_.back();
    if (tolerance <= 0.0 || last.marginal_error <= tolerance || first.marginal_error <= last.marginal_error) return "";
    const double rate =
        std::log(first.marginal_error / last.marginal_error) / std::max(last.seconds - first.seconds, 1e-9);
    const double seconds = std::log(last.marginal_error / tolerance) / rate;
    if (!(seconds < 1e7)) return "";
    char text[32];
    std::snprintf(text, sizeof text, seconds < 120.0 ? "about %.0f s" : "about %.0f min",
                  seconds < 120.0 ? seconds : seconds / 60.0);
    return text;
  }

  void print(const HistoryEntry& entry, Real tolerance, bool last) {
    const std::string left = last ? "" : time_left(tolerance);
    if (terminal_) {
      const double rate =
          recent_.size() > 1 ? (recent_.size() - 1.0) / std::max(entry.seconds - recent_.front().seconds, 1e-9) : 0.0;
      std::fprintf(out_, "\r\033[Ksweep %lld  level %d  eps %.3g  error %.2e  %.1f s  %.3g sweeps/s  %s",
                   static_cast<long long>(entry.iteration), entry.level, entry.epsilon, entry.marginal_error,
                   entry.seconds, rate, left.c_str());
    } else {
      std::fprintf(out_, "%10lld %6d %12.4g %15.3e %10.2f  %s\n", static_cast<long long>(entry.iteration), entry.level,
                   entry.epsilon, entry.marginal_error, entry.seconds, left.c_str());
    }
    std::fflush(out_);
    printed_ = entry.seconds;
  }

  std::FILE* out_ = stdout;
  bool terminal_;
  bool started_ = false;
  double printed_ = 0.0;
  HistoryEntry last_;
  Real last_tolerance_ = 0.0;
  std::deque<HistoryEntry> recent_;
};

class SilentMonitor final : public Monitor {
 public:
  void record(const HistoryEntry&, Real, bool) override {}
};

}  // namespace

void HistoryMonitor::record(const HistoryEntry& entry, Real, bool) {
  last_ = entry;
  last_.row = row_;
  if (count_++ % stride_ != 0) return;
  kept_.push_back(last_);
  if (kept_.size() < most_entries) return;
  for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
  kept_.resize(kept_.size() / 2);
  stride_ *= 2;
}

void HistoryMonitor::archive(Archive& archive) {
  constexpr Index columns = 6;
  Index entries = static_cast<Index>(kept_.size());
  archive.number("history_entries", entries);
  kept_.resize(entries);
  std::vector<Real> numbers;
  const auto put = [&](const HistoryEntry& e) {
    numbers.insert(numbers.end(), {static_cast<Real>(e.iteration), static_cast<Real>(e.level), e.epsilon,
                                   e.marginal_error, e.seconds, static_cast<Real>(e.row)});
  };
  for (const HistoryEntry& entry : kept_) put(entry);
  put(last_);
  archive.numbers("history", numbers);
  const auto take = [&](Index n) {
    const Real* c = numbers.data() + columns * n;
    return HistoryEntry{static_cast<std::int64_t>(c[0]), static_cast<std::int32_t>(c[1]), c[2], c[3], c[4],
                        static_cast<std::int32_t>(c[5])};
  };
  for (Index n = 0; n < entries; ++n) kept_[n] = take(n);
  last_ = take(entries);
  archive.number("history_stride", stride_);
  archive.number("history_count", count_);
}

History HistoryMonitor::history() const {
  History all = kept_;
  if (!all.empty() && (all.back().iteration != last_.iteration || all.back().row != last_.row)) all.push_back(last_);
  return all;
}

OptionKey progress_key() {
  return {"output.progress", "auto",
          "line: one line, rewritten; table: a line now and then; none; auto: line on a terminal, else table",
          check::one_of({"auto", "line", "table", "none"})};
}

std::unique_ptr<Monitor> make_progress_monitor(const std::string& style, bool speaks) {
  if (style == "none" || !speaks) return std::make_unique<SilentMonitor>();
  const bool terminal = isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
  return std::make_unique<ProgressMonitor>(style == "line" || (style == "auto" && terminal));
}

}  // namespace hpot
