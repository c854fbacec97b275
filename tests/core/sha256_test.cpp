#include "hpot/core/sha256.hpp"

#include <gtest/gtest.h>

namespace hpot {
namespace {

std::string digest_of(const std::string& text, std::size_t step) {
  Sha256 sha;
  for (std::size_t begin = 0; begin < text.size(); begin += step) {
    sha.update(text.data() + begin, std::min(step, text.size() - begin));
  }
  return hexadecimal(sha.finish());
}

TEST(Sha256, GivesThePublishedExamples) {
  EXPECT_EQ(digest_of("", 1), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc", 1), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 7),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest_of(std::string(1000000, 'a'), 999),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace hpot
