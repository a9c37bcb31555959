#include "common/pattern.h"

#include <gtest/gtest.h>

#include <vector>

namespace procpool {
namespace {

TEST(PatternTest, IsCountingWordsLittleEndian) {
  std::vector<std::byte> bytes(11);
  FillPattern(bytes, 0x0102);
  const std::vector<int> expected{2, 1, 0, 0, 0, 0, 0, 0, 3, 1, 0};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(std::to_integer<int>(bytes[i]), expected[i]) << i;
}

TEST(PatternTest, EveryByteCounts) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 64U, 67U, 1000U}) {
    std::vector<std::byte> bytes(size);
    FillPattern(bytes, 7);
    EXPECT_TRUE(HasPattern(bytes, 7));
    EXPECT_FALSE(HasPattern(bytes, 8));
    for (std::byte& byte : bytes) {
      byte ^= std::byte{0x10};
      EXPECT_FALSE(HasPattern(bytes, 7)) << size;
      byte ^= std::byte{0x10};
    }
  }
  EXPECT_TRUE(HasPattern({}, 7));
}

}  // namespace
}  // namespace procpool
