#include "common/checksum.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <vector>

namespace procpool {
namespace {

constexpr unsigned kSeed = 1729;

std::vector<std::int32_t> RandomCounts(std::size_t size) {
  std::mt19937 random(kSeed);
  std::vector<std::int32_t> counts(size);
  for (std::int32_t& count : counts) count = static_cast<std::int32_t>(random());
  return counts;
}

TEST(Checksum, HashIsXxh3WithSeedZero) {
  EXPECT_EQ(Hash({}), 0x2d06800538d394c2U);  // XXH3's own test vector for no bytes
}

TEST(Checksum, HashesOfEveryLengthAreThoseOfTheLibrary) {
  const std::vector<std::int32_t> counts = RandomCounts(1500);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(counts));
  for (std::size_t size = 0; size + 3 <= bytes.size(); ++size) {
    const auto piece = bytes.subspan(size % 3, size);  // at odd addresses too
    ASSERT_EQ(Hash(piece), XXH3_64bits(piece.data(), size)) << size << " bytes";
  }
}

TEST(Checksum, DigestIsTheHashOfLittleEndianCounts) {
  const std::array<std::int32_t, 2> counts{0x01020304, -2};
  const std::array<unsigned char, 8> bytes{4, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff};
  EXPECT_EQ(ChecksumOf(counts).digest, Hash(std::as_bytes(std::span(bytes))));
}

TEST(Checksum, SumsBeyondTheRangeOfCounts) {
  const std::vector<std::int32_t> largest(1000, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(ChecksumOf(largest).sum, 2147483647000);
  const std::vector<std::int32_t> smallest(1000, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(ChecksumOf(smallest).sum, -2147483648000);
  EXPECT_EQ(ChecksumOf({}), (Checksum{0, Hash({})}));
}

TEST(Checksum, SwappedRowsChangeTheDigestButNotTheSum) {
  const std::array<std::int32_t, 4> rows{1, 2, 3, 4};
  const std::array<std::int32_t, 4> swapped{3, 4, 1, 2};
  EXPECT_EQ(ChecksumOf(rows).sum, ChecksumOf(swapped).sum);
  EXPECT_NE(ChecksumOf(rows).digest, ChecksumOf(swapped).digest);
}

TEST(Checksum, PiecesGiveWhatTheWholeGives) {
  RecordProperty("seed", kSeed);
  const std::vector<std::int32_t> counts = RandomCounts(100'000);
  std::mt19937 random(kSeed);
  for (const std::size_t longest : {1U, 3U, 100U, 50'000U}) {
    ChecksumStream stream;
    std::span<const std::int32_t> left(counts);
    while (!left.empty()) {
      const std::size_t size = std::min<std::size_t>(random() % (longest + 1), left.size());
      stream.Add(left.first(size));
      left = left.subspan(size);
    }
    EXPECT_EQ(stream.Result(), ChecksumOf(counts)) << "pieces of up to " << longest;
  }
}

TEST(Checksum, ResultMayBeAskedForBetweenPieces) {
  const std::vector<std::int32_t> counts = RandomCounts(1000);
  ChecksumStream stream;
  EXPECT_EQ(stream.Result(), ChecksumOf({}));
  stream.Add(std::span(counts).first(300));
  EXPECT_EQ(stream.Result(), ChecksumOf(std::span(counts).first(300)));
  stream.Add(std::span(counts).subspan(300));
  EXPECT_EQ(stream.Result(), ChecksumOf(counts));
}

TEST(Checksum, HexDigestHasSixteenLowerCaseDigits) {
  EXPECT_EQ(HexDigest(0), "0000000000000000");
  EXPECT_EQ(HexDigest(0x71671ef53dd68165U), "71671ef53dd68165");
  EXPECT_EQ(HexDigest(0xfeU), "00000000000000fe");
  EXPECT_EQ(HexDigest(~std::uint64_t{0}), "ffffffffffffffff");
}

}  // namespace
}  // namespace procpool
