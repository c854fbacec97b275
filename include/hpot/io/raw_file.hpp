// Values at known places of a file, read and written by whatever rank they belong to: no rank sees those of another, and a full
// disk is an error of one rank, which MPI-IO would make a crash of the job. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <string>
#include <vector>

namespace hpot {

/// Doubles, little-endian, at offsets in bytes, in a file that is there. InputErrors name `name`, by which users know it.
class RawFile {
 public:
  enum class Access { read, write };
  RawFile(const std::string& path, std::string name, Access access);
  ~RawFile();
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  void read(Index offset, std::vector<Real>& values) const;
  /// On the disk when it returns: better few large pieces than many small ones.
  void write(Index offset, const std::vector<Real>& values) const;

 private:
  [[noreturn]] void fail(const char* what, int reason) const;
  std::string name_;
  int file_ = -1;
};

}  // namespace hpot
