#include "hpot/io/checkpoint.hpp"

#include "checkpoint_file.hpp"
#include "temporary_file.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/result.hpp"

#include <cstdio>
#include <filesystem>

namespace hpot {
namespace {

const char* const in_progress = "state";

std::string record_name(std::size_t work) { return "work_" + std::to_string(work); }

}  // namespace

std::vector<OptionKey> CheckpointOptions::keys() {
  return {
      {"checkpoint.file", "auto",
       "where the state is kept, at SIGTERM or SIGUSR1, at the time limit and now and then; auto: "
       "NAME.checkpoint.h5 beside output.file = NAME.h5; none",
       check::text()},
      {"checkpoint.every", "600", "seconds between two; 0: every sweep, of coordinates and dictionaries every gradient",
       check::real(0.0, 1e9)},
  };
}

CheckpointOptions CheckpointOptions::from(const Options& options) {
  CheckpointOptions result{options.text("checkpoint.file"), options.real("checkpoint.every")};
  if (result.file.empty()) options.reject("checkpoint.file", "no file name", "use auto or none");
  if (result.file == "none") result.file.clear();
  if (result.file == "auto") result.file = beside(options.text("output.file"), ".checkpoint.h5");
  if (result.file == options.text("output.file"))
    options.reject("checkpoint.file", "it is output.file, too", "use auto");
  return result;
}

RestartSource restart_source() {
  return {[](const Options& options) { return CheckpointOptions::from(options).file; }, checkpoint_config};
}

Checkpoint::Checkpoint(const Communicator& world, const Options& options, RunIdentity identity)
    : world_(world),
      options_(CheckpointOptions::from(options)),
      identity_(std::move(identity)),
      last_(std::chrono::steady_clock::now()) {
  check_writable(world_, {options_.file});
  catch_stop_signals();
  if (!options.restart_file().empty()) read(options.restart_file());
  if (!options.restarts() || world_.rank() != 0) return;
  for (const std::string& path : {options_.file, identity_.output_file}) remove_abandoned(path);
}

void Checkpoint::read(const std::string& file) {
  // Finished work is read now; of the state in progress the digest is checked, and resume() reads it again, into its place.
  Sha256 sha;
  CheckpointReader reader(world_, file, identity_);
  state_ = std::make_unique<CheckpointReader>(reader);
  while (!reader.at_end()) {
    const std::string path = reader.next();
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == in_progress) {
      reader.read(nullptr, &sha);
      continue;
    }
    if (path.substr(0, slash) == record_name(finished_.size())) finished_.emplace_back();
    Field field;
    reader.read(&field, &sha);
    finished_.back().entries.push_back({path.substr(slash + 1), field});
    state_->skip();
  }
  reader.require_digest(sha);
  kept_ = file;
}

Checkpoint::~Checkpoint() = default;

void Checkpoint::once(const std::function<bool()>& work, const Visit& results) {
  if (work_ < finished_.size()) {
    Archive archive = Archive::loading(finished_[work_]);
    results(archive);
    ++work_;
    return;
  }
  if (!work()) return;
  Archive archive = Archive::saving();
  results(archive);
  finished_.push_back(archive.record());
  ++work_;
}

bool Checkpoint::resume(const Visit& state) {
  if (state_ == nullptr || work_ < finished_.size()) return false;
  Archive archive = Archive::loading([&](const std::string& name, Field& target) {
    require(!state_->at_end() && state_->next() == std::string(in_progress) + "/" + name, "saved state",
            "'" + name + "' is not where it should be", "was it written by another version of the program?");
    state_->read(&target, nullptr);
  });
  state(archive);
  state_.reset();
  return true;
}

bool Checkpoint::due() const {
  return !options_.file.empty() &&
         std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count() >= options_.every;
}

void Checkpoint::keep(const Visit& state) {
  if (options_.file.empty()) return;
  Archive archive = Archive::saving();
  state(archive);
  write(archive.record());
  kept_ = options_.file;
  last_ = std::chrono::steady_clock::now();
}

void Checkpoint::conclude(ExitCode code) {
  if (kept_.empty() || world_.rank() != 0) return;
  if (code == ExitCode::done) {
    std::error_code ignored;
    std::filesystem::remove(kept_, ignored);
  } else {
    std::fprintf(stderr, "the state is kept: go on with --restart %s\n", kept_.c_str());
  }
}

void Checkpoint::write(const Record& state) {
  std::vector<std::pair<std::string, const Record*>> records;
  for (std::size_t n = 0; n < finished_.size(); ++n) records.emplace_back(record_name(n), &finished_[n]);
  records.emplace_back(in_progress, &state);
  write_checkpoint(world_, options_.file, identity_, records);
}

}  // namespace hpot
