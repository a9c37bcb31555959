#include "common/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <string>

#include "common/checksum.h"

namespace procpool {
namespace {

FrameHeader Sample() {
  FrameHeader header;
  header.type = FrameType::kResult;
  header.flags = kLastPart | kTimed;
  header.task = 0x11223344;
  header.job = 7;
  header.item = 0x0102030405060708;
  header.attempt = 2;
  header.annex_bytes = sizeof(ResultAnnex);
  header.payload_bytes = 4096;
  header.offset = 8192;
  header.payload_hash = 0xa1a2a3a4a5a6a7a8;
  Seal(header);
  return header;
}

template <typename T>
std::array<std::byte, sizeof(T)> BytesOf(const T& object) {
  std::array<std::byte, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &object, sizeof object);
  return bytes;
}

/// Sets the hash right again after a field was changed, so that only the field itself can be at
/// fault.
FrameHeader Rehash(FrameHeader header) {
  const auto bytes = BytesOf(header);
  header.header_hash = Hash(std::span(bytes).first<56>());
  return header;
}

TEST(Wire, SealedHeaderHasItsGoldenBytes) {
  constexpr std::array<std::uint8_t, 64> kGolden{
      0x50, 0x50, 0x46, 0x31,                          // magic: "PPF1"
      0x01, 0x00,                                      // version
      0x04,                                            // type: result
      0x09,                                            // flags: last part, timed
      0x44, 0x33, 0x22, 0x11,                          // task
      0x07, 0x00, 0x00, 0x00,                          // job
      0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,  // item
      0x02, 0x00, 0x00, 0x00,                          // attempt
      0x58, 0x00, 0x00, 0x00,                          // annex_bytes
      0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // payload_bytes
      0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // offset
      0xa8, 0xa7, 0xa6, 0xa5, 0xa4, 0xa3, 0xa2, 0xa1,  // payload_hash
      0x28, 0xb6, 0xd6, 0xd1, 0x27, 0x1d, 0x21, 0x23,  // header_hash
  };
  const auto bytes = BytesOf(Sample());
  for (std::size_t at = 0; at < kGolden.size(); ++at) {
    EXPECT_EQ(std::to_integer<unsigned>(bytes[at]), kGolden[at]) << "byte " << at;
  }
}

TEST(Wire, AnnexesLieAtTheirOffsets) {
  EXPECT_EQ(sizeof(Locator), 24U);
  EXPECT_EQ(offsetof(Locator, region), 0U);
  EXPECT_EQ(offsetof(Locator, offset), 8U);
  EXPECT_EQ(offsetof(Locator, bytes), 16U);

  EXPECT_EQ(offsetof(ItemAnnex, input), 0U);
  EXPECT_EQ(offsetof(ItemAnnex, place), 24U);
  EXPECT_EQ(offsetof(ItemAnnex, hash), 48U);

  EXPECT_EQ(offsetof(ResultAnnex, turned), 0U);
  EXPECT_EQ(offsetof(ResultAnnex, arrived), 8U);
  EXPECT_EQ(offsetof(ResultAnnex, received), 16U);
  EXPECT_EQ(offsetof(ResultAnnex, begun), 24U);
  EXPECT_EQ(offsetof(ResultAnnex, finished), 32U);
  EXPECT_EQ(offsetof(ResultAnnex, decode), 40U);
  EXPECT_EQ(offsetof(ResultAnnex, compute), 48U);
  EXPECT_EQ(offsetof(ResultAnnex, compute_cpu), 56U);
  EXPECT_EQ(offsetof(ResultAnnex, encode), 64U);
  EXPECT_EQ(offsetof(ResultAnnex, sending), 72U);
  EXPECT_EQ(offsetof(ResultAnnex, hash), 80U);

  EXPECT_EQ(sizeof(ReadyMessage), 24U);
  EXPECT_EQ(offsetof(ReadyMessage, wire_version), 0U);
  EXPECT_EQ(offsetof(ReadyMessage, pid), 4U);
  EXPECT_EQ(offsetof(ReadyMessage, build), 8U);
  EXPECT_EQ(offsetof(ReadyMessage, main_reached), 16U);
}

TEST(Wire, SealedHeadersAreAccepted) {
  EXPECT_EQ(Check(Sample()), WireFault::kNone);
  for (unsigned type = 1; type <= 7; ++type) {
    for (unsigned flags = 0; flags <= kKnownFlags; ++flags) {
      FrameHeader header;
      header.type = static_cast<FrameType>(type);
      header.flags = static_cast<std::uint8_t>(flags);
      header.payload_bytes = kMaxPayloadBytes;
      header.offset = kMaxPayloadBytes;
      Seal(header);
      EXPECT_EQ(Check(header), WireFault::kNone) << "type " << type << ", flags " << flags;
    }
  }
}

TEST(Wire, AnAnnexHasTheLengthOfItsType) {
  for (unsigned type = 1; type <= 7; ++type) {
    for (const std::uint32_t bytes : {0, 8, 55, 56, 57, 88, 96}) {
      FrameHeader header;
      header.type = static_cast<FrameType>(type);
      header.annex_bytes = bytes;
      Seal(header);
      const bool right = bytes == 0 || (header.type == FrameType::kItem && bytes == 56) ||
                         (header.type == FrameType::kResult && bytes == 88);
      EXPECT_EQ(Check(header), right ? WireFault::kNone : WireFault::kAnnexLength)
          << "type " << type << ", " << bytes << " bytes";
    }
  }
}

TEST(Wire, SealOverwritesWhatTheCallerLeftInItsFields) {
  FrameHeader header = Sample();
  header.magic = 0;
  header.version = 99;
  header.header_hash = 1;
  Seal(header);
  EXPECT_EQ(BytesOf(header), BytesOf(Sample()));
}

TEST(Wire, EverySingleBitFlipOfAHeaderIsRefused) {
  for (std::size_t bit = 0; bit < 8 * sizeof(FrameHeader); ++bit) {
    auto bytes = BytesOf(Sample());
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    FrameHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    WireFault expected = WireFault::kHeaderHash;
    if (bit / 8 < 4) expected = WireFault::kMagic;
    if (bit / 8 >= 4 && bit / 8 < 6) expected = WireFault::kVersion;
    EXPECT_EQ(Check(header), expected) << "bit " << bit;
  }
}

TEST(Wire, ImpossibleFieldsAreRefusedThoughTheHashIsRight) {
  FrameHeader header = Sample();
  header.magic = 0x32465050;
  EXPECT_EQ(Check(Rehash(header)), WireFault::kMagic);

  for (const unsigned version : {0U, 2U, 0xffffU}) {
    header = Sample();
    header.version = static_cast<std::uint16_t>(version);
    EXPECT_EQ(Check(Rehash(header)), WireFault::kVersion) << version;
  }
  for (unsigned type = 0; type < 256; ++type) {
    header = Sample();
    header.type = static_cast<FrameType>(type);
    header.annex_bytes = 0;
    const bool known = type >= 1 && type <= 10;
    EXPECT_EQ(Check(Rehash(header)), known ? WireFault::kNone : WireFault::kType) << type;
  }
  for (unsigned flags = 0; flags < 256; ++flags) {
    header = Sample();
    header.flags = static_cast<std::uint8_t>(flags);
    EXPECT_EQ(Check(Rehash(header)), flags < 64 ? WireFault::kNone : WireFault::kFlags) << flags;
  }
  for (const std::uint32_t bytes : {1U, 8U, 55U, 57U, 112U, 0x80000000U, 0xffffffffU}) {
    header = Sample();
    header.annex_bytes = bytes;
    EXPECT_EQ(Check(Rehash(header)), WireFault::kAnnexLength) << bytes;
  }
  for (const std::uint64_t bytes : {kMaxPayloadBytes + 1, std::uint64_t{1} << 63, ~std::uint64_t{0},
                                    ~std::uint64_t{0} - kMaxFrameHead + 1}) {
    header = Sample();
    header.payload_bytes = bytes;
    EXPECT_EQ(Check(Rehash(header)), WireFault::kPayloadLength) << bytes;
    header = Sample();
    header.offset = bytes;
    EXPECT_EQ(Check(Rehash(header)), WireFault::kPayloadLength) << bytes;
  }
}

TEST(Wire, AnAnnexIsSealedByTheHashOfWhatStandsBefore) {
  const ItemAnnex item{{3, 0, 4096, 65536}, {4, 0, 1, 2}, 0};
  auto annex = BytesOf(item);
  EXPECT_FALSE(AnnexIsSound(annex));
  SealAnnex(annex);
  EXPECT_TRUE(AnnexIsSound(annex));

  ItemAnnex sealed;
  std::memcpy(&sealed, annex.data(), sizeof sealed);
  EXPECT_EQ(sealed.hash, Hash(std::span(annex).first<48>()));
  EXPECT_EQ(sealed.input.region, 3U);
  EXPECT_EQ(sealed.input.offset, 4096U);
  EXPECT_EQ(sealed.place.bytes, 2U);

  for (std::size_t bit = 0; bit < 8 * annex.size(); ++bit) {
    auto flipped = annex;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(AnnexIsSound(flipped)) << "bit " << bit;
  }
}

TEST(Wire, EveryFaultHasATextOfItsOwn) {
  std::set<std::string_view> texts;
  for (unsigned fault = 0; fault <= static_cast<unsigned>(WireFault::kPayloadHash); ++fault) {
    const std::string_view text = WireFaultText(static_cast<WireFault>(fault));
    EXPECT_FALSE(text.empty());
    EXPECT_NE(text, "unknown fault");
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 10U);
}

TEST(Wire, TaskIdsAreFixedNumbers) {
  EXPECT_EQ(TaskId(""), 0x38d394c2U);
  EXPECT_EQ(TaskId("rows"), 0x4a4013ecU);
  EXPECT_EQ(TaskId("coords"), 0xdd4ac53fU);
  EXPECT_EQ(TaskId("echo"), 0xf4693f47U);
}

}  // namespace
}  // namespace procpool
