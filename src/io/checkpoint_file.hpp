// The file of a checkpoint. /header: texts of the run, names of the entries and SHA-256 digests, that of the header itself
// among them. /extents (ranks, entries, 2): rows and points of every entry on every rank. /values: of all ranks one after the
// other, each rank's entries in their order, row-major; every rank writes and reads its own.
#pragma once

#include "hpot/core/archive.hpp"
#include "hpot/core/communicator.hpp"
#include "hpot/io/checkpoint.hpp"
#include "hpot/io/raw_file.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hpot {

class Sha256;

/// The INI of the run that wrote it. InputError unless it is a checkpoint. Local.
std::string checkpoint_config(const std::string& file);

/// Entries RECORD/ENTRY of all records. What fails leaves the older file as it is and is thrown on all ranks. Collective.
void write_checkpoint(const Communicator& world, const std::string& file, const RunIdentity& identity,
                      const std::vector<std::pair<std::string, const Record*>>& records);

/// The entries of a file in their order.
class CheckpointReader {
 public:
  /// InputError unless the header is whole and that of a run of this identity. Collective.
  CheckpointReader(const Communicator& world, std::string file, const RunIdentity& expected);

  [[nodiscard]] bool at_end() const { return next_ == entries_.size(); }
  [[nodiscard]] const std::string& next() const { return entries_[next_]; }
  void skip();

  /// The next entry: into `target` where there is one, which is made where it is empty and else has the entry's extents; and
  /// into `sha`, where there is one. Collective.
  void read(Field* target, Sha256* sha);

  /// InputError unless this is the digest of all that this rank has in the file. Collective.
  void require_digest(Sha256& sha) const;

 private:
  [[nodiscard]] Index extent(int rank, std::size_t entry, int which) const;

  Communicator world_;
  std::string file_;
  std::vector<std::string> entries_;
  std::vector<Real> extents_;
  std::vector<std::string> rank_sha256_;
  std::shared_ptr<RawFile> values_;
  std::size_t next_ = 0;
  Index offset_ = 0;  // of the next entry, in bytes
};

}  // namespace hpot
