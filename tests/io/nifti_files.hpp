// NIfTI-1 and Analyze 7.5 headers written byte by byte, for tests of the reader.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

namespace hpot::test {

/// One number in the given byte order.
template <class T>
std::string number_bytes(T value, bool big_endian) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  if (big_endian == (std::endian::native == std::endian::little)) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

template <class T>
std::string numbers_bytes(const std::vector<T>& values, bool big_endian) {
  std::string bytes;
  for (const T value : values) bytes += number_bytes(value, big_endian);
  return bytes;
}

/// A header of 348 bytes; fields are set by their offsets in the format's definition.
class NiftiHeader {
 public:
  NiftiHeader(const std::vector<short>& dim, short datatype, short bits, bool big_endian = false)
      : bytes_(348, '\0'), big_endian_(big_endian) {
    set<int>(0, 348);
    set<short>(40, static_cast<short>(dim.size()));
    for (std::size_t d = 0; d < 7; ++d) set<short>(42 + 2 * d, d < dim.size() ? dim[d] : short{1});
    set<short>(70, datatype).set<short>(72, bits);
    for (std::size_t d = 0; d < 8; ++d) set<float>(76 + 4 * d, 1.0f);
    set<float>(108, 352.0f);
    bytes_.replace(344, 4, std::string("n+1\0", 4));
  }

  template <class T>
  NiftiHeader& set(std::size_t offset, T value) {
    const std::string bytes = number_bytes(value, big_endian_);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return *this;
  }
  NiftiHeader& spacing(float x, float y, float z) { return set(80, x).set(84, y).set(88, z); }
  NiftiHeader& scaling(float slope, float intercept) { return set(112, slope).set(116, intercept); }
  NiftiHeader& sform(short code, const std::vector<float>& rows) {
    set(254, code);
    for (std::size_t i = 0; i < rows.size(); ++i) set(280 + 4 * i, rows[i]);
    return *this;
  }
  /// Without a magic number it is an Analyze 7.5 header.
  NiftiHeader& analyze() {
    bytes_.replace(344, 4, 4, '\0');
    return set<float>(108, 0.0f);
  }

  [[nodiscard]] const std::string& header() const { return bytes_; }
  /// A single .nii file.
  [[nodiscard]] std::string with(const std::string& voxels) const { return bytes_ + std::string(4, '\0') + voxels; }

 private:
  std::string bytes_;
  bool big_endian_;
};

}  // namespace hpot::test
