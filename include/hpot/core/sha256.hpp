// SHA-256 [FIPS 180-4]: which bytes a result was computed from. Local.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace hpot {

class Sha256 {
 public:
  void update(const void* data, std::size_t size);
  /// The digest of all updates so far; the object is spent.
  std::array<std::uint8_t, 32> finish();

  /// All that there is of it, to go on elsewhere. Local.
  [[nodiscard]] std::string state() const;
  void resume(const std::string& state);

 private:
  void compress(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::uint64_t size_ = 0;
};

std::string hexadecimal(const std::array<std::uint8_t, 32>& digest);

}  // namespace hpot
