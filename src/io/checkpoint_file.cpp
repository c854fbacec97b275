#include "checkpoint_file.hpp"

#include "hpot/core/error.hpp"
#include "hpot/core/field.hpp"
#include "hpot/core/sha256.hpp"
#include "hpot/io/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace hpot {
namespace {

const char* const format = "hpot checkpoint 2";

/// Digest of texts, each ended by a zero byte.
std::string digest_of(const std::vector<std::string>& texts) {
  Sha256 sha;
  for (const std::string& text : texts) sha.update(text.c_str(), text.size() + 1);
  return hexadecimal(sha.finish());
}

struct Header {
  RunIdentity identity;
  std::vector<std::string> entries;      // RECORD/ENTRY, in their order
  std::vector<Real> extents;             // (ranks, entries, 2): rows and points
  Index place = 0;                       // of /values, in bytes
  std::vector<std::string> rank_sha256;  // of each rank's values

  [[nodiscard]] std::string digest() const {
    std::vector<std::string> all{format,
                                 identity.program,
                                 version_text(),
                                 identity.config,
                                 std::to_string(identity.shape.rows),
                                 std::to_string(identity.shape.batches),
                                 std::to_string(place)};
    for (const auto* texts : {&identity.input_sha256, &entries, &rank_sha256}) {
      all.push_back(std::to_string(texts->size()));
      all.insert(all.end(), texts->begin(), texts->end());
    }
    for (const Real extent : extents) all.push_back(std::to_string(static_cast<Index>(extent)));
    return digest_of(all);
  }
};

std::string header_path(const std::string& part) { return "/header/" + part; }

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
Header read_header(const std::string& file, const RunIdentity& expected) {
  SourceFile source = open_checkpoint(file);
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
  header.place = source.file.place("/values");
  require(header.digest() == source.text("sha256"), file, "it is damaged: its header does not have its SHA-256",
          "start afresh without --restart");
  require(header.identity.input_sha256 == expected.input_sha256, file, "the inputs have changed since it was written",
          "restore them, or start afresh without --restart");
  return header;
}

constexpr Index most_values = Index{1} << 17;  // at a time, beside those of the fields
constexpr Index page_values = 512;  // ranks share no page of the file, in which one could undo what another wrote

/// visit(a piece of a row) for all values of a field in their order.
template <class Visit>
void for_pieces(const Field& field, const Visit& visit) {
  for (Index row = 0; row < static_cast<Index>(field.extent(0)); ++row) {
    for (Index at = 0; at < static_cast<Index>(field.extent(1)); at += most_values) {
      const Index end = std::min(at + most_values, static_cast<Index>(field.extent(1)));
      visit(Field(Kokkos::subview(field, std::make_pair(row, row + 1), std::make_pair(at, end))));
    }
  }
}

/// Where the values of `rank` begin among those of all, whose number it is for the rank after the last.
Index values_before(int rank, const std::vector<Real>& extents, std::size_t entries) {
  Index values = 0;
  auto extent = extents.begin();
  for (int before = 0; before < rank; ++before) {
    for (std::size_t entry = 0; entry < entries; ++entry, extent += 2)
      values += static_cast<Index>(extent[0]) * static_cast<Index>(extent[1]);
    values = (values + page_values - 1) / page_values * page_values;
  }
  return values;
}

Index in_bytes(Index values) { return values * static_cast<Index>(sizeof(Real)); }

void add_to(Sha256& sha, const std::vector<Real>& values) { sha.update(values.data(), values.size() * sizeof(Real)); }

std::vector<std::string> digests_of_ranks(const Communicator& world, Sha256& sha) {
  const auto mine = sha.finish();
  const std::vector<Real> bytes = world.gather(std::vector<Real>(mine.begin(), mine.end()));
  std::vector<std::string> all;
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(mine.size())) {
    auto digest = mine;
    std::copy_n(at, digest.size(), digest.begin());
    all.push_back(hexadecimal(digest));
  }
  return all;
}

void write_header(Hdf5Writer& file, const Header& header, Index ranks) {
  const RunIdentity& identity = header.identity;
  const auto write = [&](const char* part, const std::vector<std::string>& texts) {
    file.texts(header_path(part), texts);
  };
  write("format", {format});
  write("program", {identity.program});
  write("hpot_version", {version_text()});
  write("config", {identity.config});
  write("input_sha256", identity.input_sha256);
  write("shape", {std::to_string(identity.shape.rows), std::to_string(identity.shape.batches)});
  write("entries", header.entries);
  write("rank_sha256", header.rank_sha256);
  write("sha256", {header.digest()});
  file.dataset("/extents", {{ranks, static_cast<Index>(header.entries.size()), 2}, header.extents});
}

}  // namespace

std::string checkpoint_config(const std::string& file) { return open_checkpoint(file).text("config"); }

void write_checkpoint(const Communicator& world, const std::string& file, const RunIdentity& identity,
                      const std::vector<std::pair<std::string, const Record*>>& records) {
  Header header{identity, {}, {}, 0, {}};
  std::vector<Field> fields;
  for (const auto& [name, record] : records) {
    for (const Record::Entry& entry : record->entries) {
      header.entries.push_back(name + "/" + entry.name);
      fields.push_back(entry.field);
      header.extents.push_back(static_cast<Real>(entry.field.extent(0)));
      header.extents.push_back(static_cast<Real>(entry.field.extent(1)));
    }
  }
  header.extents = world.gather(header.extents);
  world.broadcast(header.extents);
  const auto values_of = [&](int ranks) { return values_before(ranks, header.extents, fields.size()); };

  std::unique_ptr<Hdf5Writer> writer;
  std::string temporary;
  std::vector<Real> place{0.0};
  world.agree([&] {
    if (world.rank() != 0) return;
    writer = std::make_unique<Hdf5Writer>(file);
    header.place = writer->room("/values", {values_of(world.size())});
    temporary = writer->temporary();
    place = {static_cast<Real>(header.place)};
  });
  world.broadcast(temporary);
  world.broadcast(place);

  Sha256 sha;
  world.agree([&] {
    const RawFile raw(temporary, file, RawFile::Access::write);
    Index offset = static_cast<Index>(place[0]) + in_bytes(values_of(world.rank()));
    std::vector<Real> gathered;
    const auto write = [&] {
      add_to(sha, gathered);
      raw.write(offset, gathered);
      offset += in_bytes(static_cast<Index>(gathered.size()));
      gathered.clear();
    };
    for (const Field& field : fields) {
      for_pieces(field, [&](const Field& piece) {
        const std::vector<Real> values = host_values(piece);
        if (static_cast<Index>(gathered.size() + values.size()) > most_values) write();
        gathered.insert(gathered.end(), values.begin(), values.end());
      });
    }
    write();
  });
  header.rank_sha256 = digests_of_ranks(world, sha);
  world.agree([&] {
    if (world.rank() != 0) return;
    write_header(*writer, header, world.size());
    writer->close();
  });
}

CheckpointReader::CheckpointReader(const Communicator& world, std::string file, const RunIdentity& expected)
    : world_(world), file_(std::move(file)) {
  std::vector<Real> place{0.0};
  world_.agree([&] {
    if (world_.rank() != 0) return;
    Header header = read_header(file_, expected);
    entries_ = std::move(header.entries);
    extents_ = std::move(header.extents);
    rank_sha256_ = std::move(header.rank_sha256);
    place = {static_cast<Real>(header.place)};
  });
  world_.broadcast(entries_);
  world_.broadcast(extents_);
  world_.broadcast(rank_sha256_);
  world_.broadcast(place);
  offset_ = static_cast<Index>(place[0]) + in_bytes(values_before(world_.rank(), extents_, entries_.size()));
  world_.agree([&] { values_ = std::make_shared<RawFile>(file_, file_, RawFile::Access::read); });
}

Index CheckpointReader::extent(int rank, std::size_t entry, int which) const {
  return static_cast<Index>(extents_.at((rank * entries_.size() + entry) * 2 + which));
}

void CheckpointReader::skip() {
  offset_ += in_bytes(extent(world_.rank(), next_, 0) * extent(world_.rank(), next_, 1));
  ++next_;
}

void CheckpointReader::read(Field* target, Sha256* sha) {
  const Index rows = extent(world_.rank(), next_, 0);
  const Index points = extent(world_.rank(), next_, 1);
  world_.agree([&] {
    if (target != nullptr && target->size() == 0) *target = make_field("hpot::Checkpoint", rows, points);
    require(target == nullptr ||
                (static_cast<Index>(target->extent(0)) == rows && static_cast<Index>(target->extent(1)) == points),
            "saved state", "'" + next() + "' has another size", "was it written for other input?");
    std::vector<Real> values;
    const auto read_piece = [&](Index at, Index count) {
      values.resize(static_cast<std::size_t>(count));
      values_->read(offset_ + in_bytes(at), values);
      if (sha != nullptr) add_to(*sha, values);
    };
    if (target == nullptr) {
      for (Index at = 0; at < rows * points; at += most_values)
        read_piece(at, std::min(most_values, rows * points - at));
      return;
    }
    Index at = 0;
    for_pieces(*target, [&](const Field& piece) {
      const auto count = static_cast<Index>(piece.extent(1));
      read_piece(at, count);
      at += count;
      Kokkos::deep_copy(piece, make_field("hpot::Checkpoint::piece", 1, values));
    });
  });
  skip();
}

void CheckpointReader::require_digest(Sha256& sha) const {
  world_.agree([&] {
    require(hexadecimal(sha.finish()) == rank_sha256_.at(world_.rank()), file_,
            "it is damaged: the state of rank " + std::to_string(world_.rank()) + " does not have its SHA-256",
            "start afresh without --restart");
  });
}

}  // namespace hpot
