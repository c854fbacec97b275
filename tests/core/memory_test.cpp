#include "hpot/core/memory.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hpot {
namespace {

Options options_with(const std::string& limit) {
  const std::string value = "--resources.memory_limit=" + limit;
  const char* const argv[] = {"test", value.c_str()};
  return Options::parse(Communicator::world(), ResourceOptions::keys(), 2, argv);
}

Real limit_of(const std::string& text) {
  return ResourceOptions::from(options_with(text)).memory_limit.value_or(infinity);
}

TEST(MemoryLimit, DecimalAndBinaryUnitsAreRead) {
  EXPECT_EQ(limit_of("none"), infinity);
  EXPECT_EQ(limit_of("1000"), 1000.0);
  EXPECT_EQ(limit_of("1.5kB"), 1500.0);
  EXPECT_EQ(limit_of("2 MiB"), 2097152.0);
  EXPECT_EQ(limit_of("8GiB"), 8589934592.0);
  EXPECT_EQ(limit_of("3TB"), 3e12);
}

TEST(MemoryLimit, WhatIsNoSizeIsRefused) {
  for (const char* text : {"", "8G", "GiB", "0", "-1GiB", "1e3GiB", "inf", "nan", "8 GiB each"}) {
    EXPECT_THROW(options_with(text), std::runtime_error) << text;
  }
}

TEST(Memory, SizesAreWrittenForPeople) {
  EXPECT_EQ(bytes_text(0.0), "0.00 MiB");
  EXPECT_EQ(bytes_text(121.5 * 0x1p20), "121.5 MiB");
  EXPECT_EQ(bytes_text(1.25 * 0x1p30), "1.25 GiB");
  EXPECT_EQ(bytes_text(2048.0 * 0x1p30), "2.00 TiB");
}

TEST(Memory, ArraysThatAreFreedDoNotCountOn) {
  constexpr Index mebibyte = 1 << 20;
  constexpr Index arrays = 8;
  if (memory_at_start() == 0) GTEST_SKIP() << "the system does not tell";
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps what is freed";
#endif
  const auto fill = [](Index bytes) { return std::vector<Real>(static_cast<std::size_t>(bytes) / sizeof(Real), 1.0); };
  for (Index i = 0; i < arrays; ++i) EXPECT_EQ(fill(4 * mebibyte)[0], 1.0);
  const Index one_at_a_time = memory_growth();
  EXPECT_GE(one_at_a_time, 2 * mebibyte);  // the start may have held more than what was left of it
  EXPECT_LE(one_at_a_time, 8 * mebibyte);
  const auto larger = fill(64 * mebibyte);
  EXPECT_GE(memory_growth(), 60 * mebibyte) << larger[0];
}

}  // namespace
}  // namespace hpot
