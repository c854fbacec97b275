#include "hpot/io/checkpoint.hpp"

#include "hpot/core/field.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/result.hpp"
#include "temporary_file.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace hpot {
namespace {

const char* const format = "hpot checkpoint 2";
const char* const in_progress = "state";

std::string record_name(std::size_t work) { return "work_" + std::to_string(work); }

/// Digest of texts, each ended by a zero byte.
std::string digest_of(const std::vector<std::string>& texts) {
  Sha256 sha;
  for (const std::string& text : texts) sha.update(text.c_str(), text.size() + 1);
  return hexadecimal(sha.finish());
}

/// What stands under /header beside the digests.
struct Header {
  RunIdentity identity;
  std::vector<std::string> entries;      // RECORD/ENTRY, in their order
  std::vector<Real> extents;             // (ranks, entries, 2): rows and points
  std::vector<std::string> rank_sha256;  // of each rank's values

  [[nodiscard]] std::string digest() const {
    std::vector<std::string> all{format,
                                 identity.program,
                                 version_text(),
                                 identity.config,
                                 std::to_string(identity.shape.rows),
                                 std::to_string(identity.shape.batches)};
    for (const auto* texts : {&identity.input_sha256, &entries, &rank_sha256}) {
      all.push_back(std::to_string(texts->size()));
      all.insert(all.end(), texts->begin(), texts->end());
    }
    for (const Real extent : extents) all.push_back(std::to_string(static_cast<Index>(extent)));
    return digest_of(all);
  }
};

void add_to(Sha256& sha, const std::vector<Real>& numbers) {
  sha.update(numbers.data(), numbers.size() * sizeof(Real));
}

std::string header_path(const std::string& part) { return "/header/" + part; }

std::string row_path(int rank, const std::string& entry, Index row) {
  return "/rank_" + std::to_string(rank) + "/" + entry + "/" + std::to_string(row);
}

Field row_of(const Field& field, Index row) {
  return Kokkos::subview(field, std::make_pair(row, row + 1), Kokkos::ALL);
}

/// A file and its name, for messages.
struct SourceFile {
  std::string name;
  Hdf5Reader file{name};

  std::vector<std::string> texts(const std::string& part) { return file.texts(header_path(part)); }
  std::string text(const std::string& part) {
    const auto all = texts(part);
    require(all.size() == 1, name + ":" + header_path(part), "it should be one text");
    return all[0];
  }
};

/// InputError unless it is a checkpoint.
SourceFile open_checkpoint(const std::string& file) {
  SourceFile source{file};
  bool fits = false;
  try {
    fits = source.text("format") == format;
  } catch (const InputError&) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) throw;
  }
  require(fits, file, "this is no checkpoint of this version of HPOT, or only part of one",
          "name the file of checkpoint.file; start afresh without --restart if it is lost");
  return source;
}

/// InputError where the file is damaged or belongs to another run.
Header read_header(SourceFile& source, const RunIdentity& expected) {
  const std::string& file = source.name;
  Header header;
  header.identity.program = source.text("program");
  header.identity.config = source.text("config");
  header.identity.input_sha256 = source.texts("input_sha256");
  const auto shape = source.texts("shape");
  header.entries = source.texts("entries");
  header.extents = source.file.dataset("/extents").values;
  header.rank_sha256 = source.texts("rank_sha256");
  const std::string version = source.text("hpot_version");
  require(version == version_text(), file, "it was written by " + version + ", this is " + version_text(),
          "go on with the program that wrote it, or start afresh");
  require(header.identity.program == expected.program, file, "it is one of " + header.identity.program,
          "name a checkpoint of " + expected.program);
  const std::vector<std::string> here{std::to_string(expected.shape.rows), std::to_string(expected.shape.batches)};
  require(shape == here, file,
          "it was written by ranks in a grid of " + (shape.size() == 2 ? shape[0] + " x " + shape[1] : "?") +
              " (rows x batches), these are " + here[0] + " x " + here[1],
          "start as many ranks as before");
  header.identity.shape = expected.shape;
  require(header.digest() == source.text("sha256"), file, "it is damaged: its header does not have its SHA-256",
          "start afresh without --restart");
  require(header.identity.input_sha256 == expected.input_sha256, file, "the inputs have changed since it was written",
          "restore them, or start afresh without --restart");
  return header;
}

}  // namespace

std::vector<OptionKey> CheckpointOptions::keys() {
  return {
      {"checkpoint.file", "auto",
       "where the state is kept, at SIGTERM or SIGUSR1, at the time limit and now and then; auto: "
       "NAME.checkpoint.h5 beside output.file = NAME.h5; none",
       check::text()},
      {"checkpoint.every", "600", "seconds between two; 0: every sweep", check::real(0.0, 1e9)},
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
  return {[](const Options& options) { return CheckpointOptions::from(options).file; },
          [](const std::string& file) { return open_checkpoint(file).text("config"); }};
}

/// A first reading: by rank 0, of a file that may be damaged, into the digest of each rank's values.
struct Checkpoint::Trial {
  std::optional<SourceFile> source;
  Sha256 sha;
};

/// The entries of a file in their order. Collective.
class Checkpoint::Reader {
 public:
  Reader(const Communicator& world, std::string file, const RunIdentity& expected, Trial& trial)
      : world_(world), file_(std::move(file)) {
    world_.agree([&] {
      if (world_.rank() != 0) return;
      trial.source = open_checkpoint(file_);
      header_ = read_header(*trial.source, expected);
    });
    world_.broadcast(header_.entries);
    world_.broadcast(header_.extents);
    world_.broadcast(header_.rank_sha256);
  }

  [[nodiscard]] bool at_end() const { return next_ == header_.entries.size(); }
  [[nodiscard]] const std::string& next() const { return header_.entries[next_]; }
  void skip() { ++next_; }

  /// The next entry: into `target` (see Archive::Source), or nowhere; and, on trial, into the digest.
  void read(Field* target, Trial* trial) {
    const std::string path = next();
    const auto extent = [&](int rank, int which) {
      return static_cast<Index>(header_.extents.at((rank * header_.entries.size() + next_) * 2 + which));
    };
    Field field;
    if (target != nullptr) {
      field = make_or_take(path, *target, extent(world_.rank(), 0), extent(world_.rank(), 1));
      *target = field;
    }
    Index most_rows = 0;
    for (int rank = 0; rank < world_.size(); ++rank) most_rows = std::max(most_rows, extent(rank, 0));
    for (Index row = 0; row < most_rows; ++row) {
      std::string failure;
      const std::vector<Real> values = world_.from_root([&](int rank) -> std::vector<Real> {
        try {
          if (row >= extent(rank, 0)) return {};
          const std::string name = row_path(rank, path, row);
          std::vector<Real> read_values =
              (trial != nullptr ? trial->source->file.dataset(name) : read_trusted_hdf5(file_, name)).values;
          require(static_cast<Index>(read_values.size()) == extent(rank, 1), file_, path + " has another size");
          return read_values;
        } catch (const InputError& error) {
          failure = error.what();
          return std::vector<Real>(static_cast<std::size_t>(extent(rank, 1)));
        }
      });
      world_.agree([&] {
        if (!failure.empty()) throw InputError(failure);
      });
      if (trial != nullptr) add_to(trial->sha, values);
      if (field.size() > 0 && row < extent(world_.rank(), 0))
        Kokkos::deep_copy(row_of(field, row), make_field("hpot::Checkpoint::row", 1, values));
    }
    ++next_;
  }

  void require_digest(Sha256& sha) const {
    world_.agree([&] {
      require(hexadecimal(sha.finish()) == header_.rank_sha256.at(world_.rank()), file_,
              "it is damaged: the state of rank " + std::to_string(world_.rank()) + " does not have its SHA-256",
              "start afresh without --restart");
    });
  }

 private:
  static Field make_or_take(const std::string& path, const Field& target, Index rows, Index points) {
    if (target.size() == 0) return make_field("hpot::Checkpoint", rows, points);
    require(static_cast<Index>(target.extent(0)) == rows && static_cast<Index>(target.extent(1)) == points,
            "saved state", "'" + path + "' has another size", "was it written for other input?");
    return target;
  }

  Communicator world_;
  std::string file_;
  Header header_;
  std::size_t next_ = 0;
};

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
  Trial trial;
  Reader reader(world_, file, identity_, trial);
  state_ = std::make_unique<Reader>(reader);
  while (!reader.at_end()) {
    const std::string path = reader.next();
    const std::size_t slash = path.find('/');
    if (path.substr(0, slash) == in_progress) {
      reader.read(nullptr, &trial);
      continue;
    }
    if (path.substr(0, slash) == record_name(finished_.size())) finished_.emplace_back();
    Field field;
    reader.read(&field, &trial);
    finished_.back().entries.push_back({path.substr(slash + 1), field});
    state_->skip();
  }
  reader.require_digest(trial.sha);
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

  std::unique_ptr<Hdf5Writer> file;
  std::vector<Sha256> sha(static_cast<std::size_t>(world_.size()));
  Header header{identity_, {}, {}, {}};
  std::vector<Real> extents;
  std::string failure;  // of rank 0, which goes on receiving
  const auto attempt = [&](const std::function<void()>& write_something) {
    if (world_.rank() != 0 || !failure.empty()) return;
    try {
      write_something();
    } catch (const InputError& error) {
      failure = error.what();
    }
  };
  attempt([&] { file = std::make_unique<Hdf5Writer>(options_.file); });
  for (const auto& [name, record] : records) {
    for (const Record::Entry& entry : record->entries) {
      const std::string path = name + "/" + entry.name;
      header.entries.push_back(path);
      const auto rows = static_cast<Index>(entry.field.extent(0));
      std::vector<Real> rows_of;
      world_.to_root({static_cast<Real>(rows), static_cast<Real>(entry.field.extent(1))},
                     [&](int, std::vector<Real>& both) {
                       rows_of.push_back(both[0]);
                       extents.insert(extents.end(), both.begin(), both.end());
                     });
      const auto most_rows = static_cast<Index>(world_.max(static_cast<Real>(rows)));
      for (Index row = 0; row < most_rows; ++row) {
        auto mine = row < rows ? host_values(row_of(entry.field, row)) : std::vector<Real>();
        world_.to_root(std::move(mine), [&](int rank, std::vector<Real>& values) {
          if (static_cast<Real>(row) >= rows_of[rank]) return;
          attempt([&] {
            add_to(sha[rank], values);
            const auto points = static_cast<Index>(values.size());
            file->dataset(row_path(rank, path, row), {{points}, std::move(values)});
          });
        });
      }
    }
  }
  attempt([&] {  // by entry and rank, to by rank and entry
    const std::size_t ranks = sha.size();
    const std::size_t entries = header.entries.size();
    header.extents.resize(extents.size());
    for (std::size_t e = 0; e < entries; ++e) {
      for (std::size_t r = 0; r < ranks; ++r)
        std::copy_n(extents.begin() + (e * ranks + r) * 2, 2, header.extents.begin() + (r * entries + e) * 2);
    }
    file->dataset("/extents", {{static_cast<Index>(ranks), static_cast<Index>(entries), 2}, header.extents});
  });
  attempt([&] {
    for (Sha256& one : sha) header.rank_sha256.push_back(hexadecimal(one.finish()));
    const auto write_texts = [&](const char* part, const std::vector<std::string>& texts) {
      file->texts(header_path(part), texts);
    };
    write_texts("format", {format});
    write_texts("program", {identity_.program});
    write_texts("hpot_version", {version_text()});
    write_texts("config", {identity_.config});
    write_texts("input_sha256", identity_.input_sha256);
    write_texts("shape", {std::to_string(identity_.shape.rows), std::to_string(identity_.shape.batches)});
    write_texts("entries", header.entries);
    write_texts("rank_sha256", header.rank_sha256);
    write_texts("sha256", {header.digest()});
    file->close();
  });
  world_.agree([&] {
    if (!failure.empty()) throw InputError(failure);
  });
}

}  // namespace hpot
