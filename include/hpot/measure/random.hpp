// Counter-based random numbers: the k-th number of a stream is a pure function of (seed, stream name, item, k), so that
// every rank, thread and machine makes the same ones in any order. SplitMix64 (Steele, Lea, Flood 2014) with a hashed
// starting point. For test data, not for cryptography. Local.
#pragma once

#include "hpot/core/types.hpp"

#include <cstdint>
#include <string_view>

namespace hpot {

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t item) : start_(mix(seed + increment)) {
    for (const char letter : name) start_ = mix(start_ ^ static_cast<unsigned char>(letter)) + increment;
    start_ = mix(start_ ^ mix(item + increment));
  }

  /// Number `counter` of the stream: 64 random bits.
  [[nodiscard]] std::uint64_t bits(std::uint64_t counter) const { return mix(start_ + (counter + 1) * increment); }

  /// The next number, uniform in [0, 1): a multiple of 2^-53.
  Real uniform() { return static_cast<Real>(bits(counter_++) >> 11) * 0x1p-53; }
  Real uniform(Real low, Real high) { return low + (high - low) * uniform(); }

 private:
  static constexpr std::uint64_t increment = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio, odd

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  std::uint64_t start_;
  std::uint64_t counter_ = 0;
};

}  // namespace hpot
