#include "hpot/io/checkpoint.hpp"

#include "hpot/core/field.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/hdf5_file.hpp"
#include "hpot/io/result.hpp"
#include "temporary_file.hpp"

#include <cstdio>
#include <filesystem>

namespace hpot {
namespace {

const char* const format = "hpot checkpoint 1";
const char* const in_progress = "state";

std::string record_name(std::size_t work) { return "work_" + std::to_string(work); }
std::string rank_group(int rank) { return "/rank_" + std::to_string(rank) + "/"; }

/// Digest of texts, each ended by a zero byte.
std::string digest_of(const std::vector<std::string>& texts) {
  Sha256 sha;
  for (const std::string& text : texts) sha.update(text.c_str(), text.size() + 1);
  return hexadecimal(sha.finish());
}

/// What stands in the attributes beside the digests.
struct Header {
  RunIdentity identity;
  std::vector<std::string> entries;      // RECORD/ENTRY, in their order
  std::vector<std::string> rank_sha256;  // of each rank's shapes and values

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
    return digest_of(all);
  }
};

/// A field as it travels: its two extents, then its values.
std::vector<Real> packed(const Field& field) {
  std::vector<Real> numbers = host_values(field);
  const Real extents[] = {static_cast<Real>(field.extent(0)), static_cast<Real>(field.extent(1))};
  numbers.insert(numbers.begin(), std::begin(extents), std::end(extents));
  return numbers;
}

Array unpacked(const std::vector<Real>& numbers) {
  return {{static_cast<Index>(numbers[0]), static_cast<Index>(numbers[1])}, {numbers.begin() + 2, numbers.end()}};
}

void add_to(Sha256& sha, const std::vector<Real>& numbers) {
  sha.update(numbers.data(), numbers.size() * sizeof(Real));
}

std::string one_text(const std::string& file, const std::string& attribute) {
  const auto texts = read_hdf5_texts(file, attribute);
  require(texts.size() == 1, file + ": attribute " + attribute, "it should be one text");
  return texts[0];
}

void require_checkpoint(const std::string& file) {
  bool fits = false;
  try {
    fits = one_text(file, "format") == format;
  } catch (const InputError&) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) throw;
  }
  require(fits, file, "this is no checkpoint of this version of HPOT, or only part of one",
          "name the file of checkpoint.file; start afresh without --restart if it is lost");
}

/// InputError where the file is damaged or belongs to another run.
Header read_header(const std::string& file, const RunIdentity& expected) {
  require_checkpoint(file);
  Header header;
  header.identity.program = one_text(file, "program");
  header.identity.config = one_text(file, "config");
  header.identity.input_sha256 = read_hdf5_texts(file, "input_sha256");
  const auto shape = read_hdf5_texts(file, "shape");
  header.entries = read_hdf5_texts(file, "entries");
  header.rank_sha256 = read_hdf5_texts(file, "rank_sha256");
  const std::string version = one_text(file, "hpot_version");
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
  require(header.digest() == one_text(file, "sha256"), file, "it is damaged: its attributes do not have their SHA-256",
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
          [](const std::string& file) {
            require_checkpoint(file);
            return one_text(file, "config");
          }};
}

Checkpoint::Checkpoint(const Communicator& world, const Options& options, RunIdentity identity)
    : world_(world),
      options_(CheckpointOptions::from(options)),
      identity_(std::move(identity)),
      last_(std::chrono::steady_clock::now()) {
  check_writable(world_, {options_.file});
  catch_stop_signals();
  if (!options.restart_file().empty()) read(options.restart_file());
}

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
  if (state_.empty() || work_ < finished_.size()) return false;
  Archive archive = Archive::loading(std::move(state_[0]));
  state_.clear();
  state(archive);
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

void Checkpoint::read(const std::string& file) {
  Header header;
  world_.agree([&] {
    if (world_.rank() != 0) return;
    header = read_header(file, identity_);
    for (const std::string& path : {options_.file, identity_.output_file}) remove_abandoned(path);
  });
  world_.broadcast(header.entries);
  world_.broadcast(header.rank_sha256);
  Sha256 sha;
  for (const std::string& path : header.entries) {
    std::string failure;
    const std::vector<Real> numbers = world_.from_root([&](int rank) -> std::vector<Real> {
      try {
        const Array array = read_hdf5(file, rank_group(rank) + path);
        require(array.shape.size() == 2, file, path + " is no field");
        std::vector<Real> all{static_cast<Real>(array.shape[0]), static_cast<Real>(array.shape[1])};
        all.insert(all.end(), array.values.begin(), array.values.end());
        return all;
      } catch (const InputError& error) {
        failure = error.what();
        return {0.0, 0.0};
      }
    });
    world_.agree([&] {
      if (!failure.empty()) throw InputError(failure);
    });
    add_to(sha, numbers);
    const Array array = unpacked(numbers);
    const Field field = make_field("hpot::Checkpoint", array.shape[0], array.shape[1]);
    if (field.size() > 0) Kokkos::deep_copy(field, make_field("hpot::Checkpoint::read", array.shape[0], array.values));
    const std::size_t slash = path.find('/');
    const std::string record = path.substr(0, slash);
    std::vector<Record>& records = record == in_progress ? state_ : finished_;
    if (record == in_progress ? state_.empty() : record == record_name(finished_.size())) records.emplace_back();
    records.back().entries.push_back({path.substr(slash + 1), field});
  }
  world_.agree([&] {
    require(hexadecimal(sha.finish()) == header.rank_sha256[world_.rank()], file,
            "it is damaged: the state of rank " + std::to_string(world_.rank()) + " does not have its SHA-256",
            "start afresh without --restart");
  });
  kept_ = file;
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
  Header header{identity_, {}, {}};
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
      world_.to_root(packed(entry.field), [&](int rank, const std::vector<Real>& numbers) {
        attempt([&] {
          file->dataset(rank_group(rank) + path, unpacked(numbers));
          add_to(sha[rank], numbers);
        });
      });
    }
  }
  attempt([&] {
    for (Sha256& one : sha) header.rank_sha256.push_back(hexadecimal(one.finish()));
    file->attribute("/", "format", format);
    file->attribute("/", "program", identity_.program);
    file->attribute("/", "hpot_version", version_text());
    file->attribute("/", "config", identity_.config);
    file->attribute("/", "input_sha256", identity_.input_sha256);
    file->attribute(
        "/", "shape",
        std::vector<std::string>{std::to_string(identity_.shape.rows), std::to_string(identity_.shape.batches)});
    file->attribute("/", "entries", header.entries);
    file->attribute("/", "rank_sha256", header.rank_sha256);
    file->attribute("/", "sha256", header.digest());
    file->close();
  });
  world_.agree([&] {
    if (!failure.empty()) throw InputError(failure);
  });
}

}  // namespace hpot
