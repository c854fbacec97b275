// Checkpoint and restart: one HDF5 file that holds the state of all ranks, the resolved INI and the inputs' digests. It is
// written under a temporary name and renamed, so that at any moment there is a complete one or none.
//
//   /                attributes: format, program, hpot_version, config, input_sha256, shape (ranks along rows, batches),
//                    entries (their names), rank_sha256 (of each rank's values), sha256 (of all the others)
//   /extents         (ranks, entries, 2): rows and points of every entry
//   /rank_R/ENTRY/K  row K of an entry of rank R. ENTRY: work_N/NAME, the results of a finished piece of work, or state/NAME,
//                    that of the piece in progress
//
// Rows travel one by one, so that no rank holds more than one row besides its state.
#pragma once

#include "hpot/core/options.hpp"
#include "hpot/core/partition.hpp"
#include "hpot/core/session.hpp"
#include "hpot/solver/keeper.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace hpot {

struct CheckpointOptions {
  std::string file;    // empty: none
  Real every = 600.0;  // seconds

  static std::vector<OptionKey> keys();
  /// `auto` stands for NAME.checkpoint.h5 beside output.file = NAME.h5.
  static CheckpointOptions from(const Options& options);
};

/// What --restart reads before anything else: the file's name, and the INI in it.
RestartSource restart_source();

/// What must be the same in the run that wrote a checkpoint and in the one that reads it.
struct RunIdentity {
  std::string program;
  std::string config;                     // Options::dump()
  std::vector<std::string> input_sha256;  // in the order of the measures
  ProcessGridShape shape;
  std::string output_file;  // need not be the same
};

class Checkpoint final : public Keeper {
 public:
  /// Reads options.restart_file() where there is one: InputError unless it is whole and `identity` fits. Where
  /// options.restarts(), deletes what a killed run left of both files under temporary names, even one that was killed before
  /// its first checkpoint. Catches SIGTERM and SIGUSR1 from now on (stop_requested()). Collective.
  Checkpoint(const Communicator& world, const Options& options, RunIdentity identity);

  ~Checkpoint() override;

  void once(const std::function<bool()>& work, const Visit& results) override;
  bool resume(const Visit& state) override;
  [[nodiscard]] bool due() const override;
  void keep(const Visit& state) override;

  /// The run ends: the file is deleted when there is nothing more to do; else rank 0 says how to go on.
  void conclude(ExitCode code);

 private:
  void read(const std::string& file);
  void write(const Record& state);

  Communicator world_;
  CheckpointOptions options_;
  RunIdentity identity_;
  std::vector<Record> finished_;
  std::unique_ptr<class CheckpointReader> state_;  // where the next resume() finds something
  std::size_t work_ = 0;                           // number of the present piece
  std::string kept_;                               // the file, where one was written or read
  std::chrono::steady_clock::time_point last_;
};

}  // namespace hpot
