// Observers of a solve. They are called on every rank after every sweep, with the same numbers.
#pragma once

#include "hpot/core/archive.hpp"
#include "hpot/solver/history.hpp"
#include "hpot/solver/stopping.hpp"

#include <cstdio>
#include <memory>

namespace hpot {

class Monitor {
 public:
  virtual ~Monitor() = default;
  /// `tolerance` is that of the present stage; `final_stage` is false while eps is above its target.
  virtual void record(const HistoryEntry& entry, Real tolerance, bool final_stage) = 0;
  /// What it knows of the sweeps before.
  virtual void archive(Archive&) {}
};

/// Keeps every entry while there are few, then thins the older ones: at most 4096 entries, first and last always.
class HistoryMonitor final : public Monitor {
 public:
  void record(const HistoryEntry& entry, Real tolerance, bool final_stage) override;
  void archive(Archive& archive) override;
  /// Entries from now on belong to this row of weights.
  void begin_row(std::int32_t row) { row_ = row; }
  [[nodiscard]] History history() const;

 private:
  History kept_;
  HistoryEntry last_;
  std::int32_t row_ = 0;
  Index stride_ = 1;
  Index count_ = 0;
};

/// output.progress: `line`, one line that is rewritten, with rate and time left; `table`, a line now and then, for logs;
/// `none`. `auto`: a line where stdout and stderr are terminals, else a table (under mpirun, which hides the terminal, too).
OptionKey progress_key();

/// Prints to stdout on the rank where `speaks`; nowhere else.
std::unique_ptr<Monitor> make_progress_monitor(const std::string& style, bool speaks);

}  // namespace hpot
