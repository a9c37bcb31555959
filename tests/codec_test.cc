// Every codec: what goes in comes out, bit for bit; the bytes are those of docs/protocol.md; and
// whatever else arrives is refused.
#include "common/codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <procpool/error.h>
#include "common/rows_payload.h"
#include "tests/codec_fixture.h"

namespace procpool {
namespace {

std::vector<double> SpecialDoubles() {
  using Limits = std::numeric_limits<double>;
  return {0.0,
          -0.0,
          1.0,
          -1.0,
          0.1,
          -1.8,
          3.6 / 1000,
          1e22,
          Limits::min(),
          Limits::denorm_min(),
          -Limits::denorm_min(),
          Limits::max(),
          -Limits::max(),
          Limits::epsilon(),
          -2.2250738585072011e-308,
          5e-5,
          -1.2345678901234567e-300,
          123456789012345680.0,
          16777217.0,
          1.0 / 3};
}

std::vector<std::uint64_t> BitsOf(std::span<const double> numbers) {
  std::vector<std::uint64_t> bits;
  for (const double number : numbers) bits.push_back(std::bit_cast<std::uint64_t>(number));
  return bits;
}

class CodecTest : public CodecFixture {
 protected:
  void ExpectSameCoords(std::span<const double> z, std::span<const double> c) {
    const Bytes bytes = EncodedCoords(z, c);
    CoordsView coords;
    ASSERT_EQ(codec_->DecodeCoords(bytes, z.size() / 2, coords), std::nullopt);
    EXPECT_EQ(BitsOf(coords.z), BitsOf(z));
    EXPECT_EQ(BitsOf(coords.c), BitsOf(c));
  }
  void ExpectSameCounts(const std::vector<std::int32_t>& counts) {
    const Bytes bytes = EncodedCounts(counts);
    std::vector<std::int32_t> decoded(counts.size(), 42);
    ASSERT_EQ(codec_->DecodeCounts(bytes, decoded), std::nullopt);
    EXPECT_EQ(decoded, counts);
  }
};

TEST(CodecListTest, RawIsFirstAndHasNoObject) {
  EXPECT_EQ(Codecs().front().name, "raw");
  EXPECT_EQ(MakeCodec(CodecId::kRaw), nullptr);
  EXPECT_EQ(FindCodec("nonsense"), nullptr);
}

TEST(CodecListTest, NamesAgree) {
  for (const CodecInfo& info : Codecs().subspan(1)) {
    EXPECT_EQ(MakeCodec(info.id)->name(), info.name);
    EXPECT_EQ(FindCodec(info.name)->id, info.id);
  }
}

TEST_P(CodecTest, Rows) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (const RowsItem item : {RowsItem{0, 0}, RowsItem{120, 15}, RowsItem{most, most}}) {
    const Bytes bytes = EncodedRows(item);
    RowsItem decoded{1, 1};
    EXPECT_EQ(codec_->DecodeRows(bytes, decoded), std::nullopt);
    EXPECT_EQ(decoded.first_row, item.first_row);
    EXPECT_EQ(decoded.rows, item.rows);
  }
}

TEST_P(CodecTest, CoordsOfAnyLength) {
  for (const std::size_t points : {0, 1, 2, 4, 15, 16, 100, 70'000}) {
    std::vector<double> z(2 * points), c(2 * points);
    for (std::size_t i = 0; i < z.size(); ++i) {
      z[i] = std::sin(static_cast<double>(i)) * 2;
      c[i] = -z[i] / 3;
    }
    ExpectSameCoords(z, c);
  }
}

TEST_P(CodecTest, SpecialDoublesKeepTheirBits) {
  const std::vector<double> z = SpecialDoubles();
  ExpectSameCoords(z, std::vector<double>(z.rbegin(), z.rend()));
}

TEST_P(CodecTest, TheLongestDoublesFitTheBound) {
  const std::vector<double> z(1000, -1.2345678901234567e-300);
  ExpectSameCoords(z, z);
}

TEST_P(CodecTest, NumbersThatAreNotFiniteAreKeptOrRefused) {
  using Limits = std::numeric_limits<double>;
  const std::vector<double> fine{0.5, 1.5};
  for (const double number :
       {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
        std::bit_cast<double>(std::uint64_t{0xFFF8000012345678}),     // a NaN with a payload
        std::bit_cast<double>(std::uint64_t{0x7FF0000000000001})}) {  // a signalling one
    const std::vector<double> odd{number, 0.5};
    if (GetParam().id != CodecId::kJson) {
      ExpectSameCoords(odd, fine);
      ExpectSameCoords(fine, odd);
    } else {
      EXPECT_THROW(EncodedCoords(odd, fine), Error);
      EXPECT_THROW(EncodedCoords(fine, odd), Error);
    }
  }
}

TEST_P(CodecTest, CountsOfAnyLength) {
  for (const std::size_t points : {0, 1, 2, 15, 16, 300, 70'000}) {
    std::vector<std::int32_t> counts(points);
    for (std::size_t i = 0; i < points; ++i) counts[i] = static_cast<std::int32_t>(i * 7919 % 1001);
    ExpectSameCounts(counts);
  }
}

TEST_P(CodecTest, ExtremeCounts) {
  using Limits = std::numeric_limits<std::int32_t>;
  ExpectSameCounts({Limits::min(), Limits::max(), 0, -1, 1, 127, 128, -128, -129, 255, 256, 32767,
                    32768, 65535, 65536, Limits::min() + 1, Limits::max() - 1});
  ExpectSameCounts(std::vector<std::int32_t>(1000, Limits::min()));
}

TEST_P(CodecTest, OneObjectServesManyMessages) {
  ExpectSameCounts({1, 2, 3});
  ExpectSameCoords(std::vector<double>{1, 2, 3, 4}, std::vector<double>{5, 6, 7, 8});
  ExpectSameCounts({});
  ExpectSameCoords({}, {});
  ExpectSameCounts({4});
  ExpectSameCoords(std::vector<double>{1, 2}, std::vector<double>{3, 4});
}

TEST_P(CodecTest, MemoryThatIsTooShortIsRefused) {
  const std::vector<std::int32_t> counts(100, 1'000'000);
  const std::vector<double> numbers(100, 0.1);
  for (const std::size_t room : {0, 1, 7, 8, 9, 100}) {
    Bytes out(room);
    EXPECT_THROW(codec_->EncodeCounts(counts, out), Error) << room;
    EXPECT_THROW(codec_->EncodeCoords(numbers, numbers, out), Error) << room;
  }
}

std::string Hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    text += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// As docs/protocol.md shows them: rows 120 to 134; z = 0.5-0i, c = 0.1+1i; counts 0, 300, -1.
TEST_P(CodecTest, GoldenBytes) {
  const std::string rows = Hex(EncodedRows({120, 15}));
  const std::string coords =
      Hex(EncodedCoords(std::vector<double>{0.5, -0.0}, std::vector<double>{0.1, 1.0}));
  const std::string counts = Hex(EncodedCounts(std::vector<std::int32_t>{0, 300, -1}));
  switch (GetParam().id) {
    case CodecId::kRaw:
      FAIL();
    case CodecId::kCereal:
      EXPECT_EQ(rows, "78000000000000000f00000000000000");
      EXPECT_EQ(coords,
                "0200000000000000000000000000e03f0000000000000080"
                "02000000000000009a9999999999b93f000000000000f03f");
      EXPECT_EQ(counts, "0300000000000000000000002c010000ffffffff");
      break;
    case CodecId::kProtobuf:
      EXPECT_EQ(rows, "0878100f");
      EXPECT_EQ(coords,
                "0a10000000000000e03f0000000000000080"
                "12109a9999999999b93f000000000000f03f");
      EXPECT_EQ(counts, "0a0400d80401");
      break;
    case CodecId::kMsgpack:
      EXPECT_EQ(rows, "82a966697273745f726f7778a4726f77730f");
      EXPECT_EQ(coords, "82a17a92ca3f000000ca80000000a16392cb3fb999999999999aca3f800000");
      EXPECT_EQ(counts, "81a6636f756e74739300cd012cff");
      break;
    case CodecId::kJson:
      EXPECT_EQ(Text(EncodedRows({120, 15})), R"({"first_row":120,"rows":15})");
      EXPECT_EQ(Text(EncodedCoords(std::vector<double>{0.5, -0.0}, std::vector<double>{0.1, 1.0})),
                R"({"z":[0.5,-0.0],"c":[0.1,1.0]})");
      EXPECT_EQ(Text(EncodedCounts(std::vector<std::int32_t>{0, 300, -1})),
                R"({"counts":[0,300,-1]})");
      break;
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodecTest, testing::ValuesIn(Codecs().subspan(1)), CodecTestName);

}  // namespace
}  // namespace procpool
