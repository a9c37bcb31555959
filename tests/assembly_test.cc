// The grid being put together: what is accepted, what is refused, what is found in the final pass.
#include "master/assembly.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace procpool {
namespace {

constexpr std::uint64_t kWidth = 4;
constexpr std::uint64_t kRowBytes = kWidth * sizeof(std::int32_t);

class AssemblyTest : public ::testing::Test {
 protected:
  AssemblyTest() : grid_(Buffer::Private(6 * kRowBytes)), assembly_(grid_, kWidth, chunks_) {}

  // Delivers a whole chunk whose counts are all `value`.
  bool Deliver(std::uint64_t chunk, std::int32_t value, bool keep_hash) {
    const std::uint64_t bytes = chunks_[chunk].rows * kRowBytes;
    const auto place = assembly_.PlaceFor(chunk, 0, bytes);
    if (!place) return false;
    for (std::size_t at = 0; at < place->size(); at += sizeof value) {
      std::memcpy(place->data() + at, &value, sizeof value);
    }
    return assembly_.Complete(chunk, bytes, keep_hash ? std::optional(Hash(*place)) : std::nullopt);
  }

  const std::vector<Chunk> chunks_{{0, 0, 2}, {1, 2, 3}, {2, 5, 1}};
  Buffer grid_;
  Assembly assembly_;
};

TEST_F(AssemblyTest, PutsEachChunkInItsPlace) {
  for (const std::uint64_t chunk : {2U, 0U, 1U}) {
    assembly_.Begin(chunk);
    EXPECT_TRUE(Deliver(chunk, static_cast<std::int32_t>(chunk) + 1, false));
  }
  EXPECT_TRUE(assembly_.AllRowsIn());
  EXPECT_TRUE(assembly_.Finish().empty());
  EXPECT_EQ(assembly_.checksum().sum, 8 * 1 + 12 * 2 + 4 * 3);
  EXPECT_EQ(assembly_.checksum(), ChecksumOf(grid_.as<std::int32_t>()));
}

TEST_F(AssemblyTest, TakesPiecesInOrderOnly) {
  assembly_.Begin(1);
  EXPECT_FALSE(assembly_.PlaceFor(1, kRowBytes, kRowBytes)) << "the first piece is missing";
  EXPECT_TRUE(assembly_.PlaceFor(1, 0, kRowBytes));
  EXPECT_FALSE(assembly_.PlaceFor(1, 0, kRowBytes)) << "that piece is there already";
  EXPECT_FALSE(assembly_.PlaceFor(1, kRowBytes, 3 * kRowBytes)) << "longer than the chunk";
  EXPECT_FALSE(assembly_.PlaceFor(1, kRowBytes, ~std::uint64_t{0})) << "the sum overflows";
  EXPECT_FALSE(assembly_.Complete(1, kRowBytes, std::nullopt)) << "two rows are missing";
  EXPECT_TRUE(assembly_.PlaceFor(1, kRowBytes, 2 * kRowBytes));
  EXPECT_TRUE(assembly_.Complete(1, 3 * kRowBytes, std::nullopt));
}

TEST_F(AssemblyTest, WritesACompleteChunkNeverAgain) {
  EXPECT_FALSE(assembly_.PlaceFor(0, 0, kRowBytes)) << "it was not begun";
  assembly_.Begin(0);
  EXPECT_TRUE(Deliver(0, 1, false));
  EXPECT_FALSE(Deliver(0, 2, false));
  EXPECT_FALSE(assembly_.Complete(0, 2 * kRowBytes, std::nullopt));
}

TEST_F(AssemblyTest, ANewAttemptBeginsAfresh) {
  assembly_.Begin(0);
  EXPECT_TRUE(assembly_.PlaceFor(0, 0, kRowBytes));
  assembly_.Begin(0);
  EXPECT_TRUE(Deliver(0, 1, false));
}

TEST_F(AssemblyTest, FindsRowsThatWereOverwrittenLater) {
  for (std::uint64_t chunk = 0; chunk < 3; ++chunk) {
    assembly_.Begin(chunk);
    EXPECT_TRUE(Deliver(chunk, 7, true));
  }
  grid_.as<std::int32_t>()[2 * kWidth] = 8;  // the first count of chunk 1
  EXPECT_EQ(assembly_.Finish(), std::vector<std::uint64_t>{1});
  EXPECT_FALSE(assembly_.AllRowsIn());
  assembly_.Begin(1);
  EXPECT_TRUE(Deliver(1, 7, true));
  EXPECT_TRUE(assembly_.Finish().empty());
  EXPECT_TRUE(assembly_.AllRowsIn());
}

TEST_F(AssemblyTest, FillsWhatWasGivenUp) {
  assembly_.Begin(2);
  assembly_.GiveUp(2);
  for (std::size_t column = 0; column < kWidth; ++column) {
    EXPECT_EQ(grid_.as<std::int32_t>()[5 * kWidth + column], kGivenUpCount);
  }
  EXPECT_FALSE(assembly_.AllRowsIn());
}

}  // namespace
}  // namespace procpool
