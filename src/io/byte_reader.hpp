// Bytes and numbers of files that may be gzipped, for the readers of this folder. Local.
//
// A name that ends in .gz goes through zlib, any other is read as it is. Nothing here trusts a size that a file claims:
// it is compared with what the file can hold before memory is taken.
#pragma once

#include "hpot/core/types.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hpot {

/// Whether `name` ends in `ending` (lower case) in any mixture of cases.
bool has_ending(const std::string& name, const std::string& ending);

class ByteReader {
 public:
  /// InputError when there is no such file or it cannot be opened.
  explicit ByteReader(const std::string& path);
  ~ByteReader();
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Fewer than `bytes` only at the end of the file. InputError when the compressed data is damaged.
  std::size_t read(void* buffer, std::size_t bytes);
  /// InputError when the file ends before `bytes` bytes of `what`, e.g. "voxels".
  void read_all(void* buffer, std::size_t bytes, const std::string& what);
  void skip(std::uint64_t bytes, const std::string& what);
  /// All that is left.
  std::string rest();
  /// Reads on to the end of compressed data, so that its checksum is compared.
  void verify_checksum();

  /// As many bytes as the file can hold, decompressed.
  [[nodiscard]] std::uint64_t most_bytes() const { return most_bytes_; }
  /// InputError unless the file can hold `items` items of `size` bytes after `offset` bytes.
  void require_room(std::uint64_t offset, std::uint64_t items, std::uint64_t size, const std::string& what) const;

 private:
  struct Stream;
  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::uint64_t most_bytes_ = 0;
};

enum class Number { int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64 };

std::size_t size_of(Number number);

/// The next `count` numbers as doubles. `swap` reverses the bytes of each. NaN stays (quiet) NaN.
std::vector<Real> read_numbers(ByteReader& reader, Number number, bool swap, Index count, const std::string& what);

/// Throws an InputError that counts the infinite values.
void reject_infinite(const std::vector<Real>& values, const std::string& path);

}  // namespace hpot
