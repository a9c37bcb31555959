// Every codec against bytes that no codec wrote: refused with a reason, without a crash, an
// exception, or memory for what is only claimed. (A claim that was believed would ask for 2^40
// numbers here, which no machine gives.)
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/codec_fixture.h"

namespace procpool {
namespace {

constexpr std::size_t kAnyNumber = std::size_t{1} << 40U;

class CodecMistrustTest : public CodecFixture {
 protected:
  // All three messages, each with the function that decodes it.
  struct Message {
    std::string name;
    Bytes bytes;
    std::function<DecodeFault(std::span<const std::byte>)> decode;
  };
  std::vector<Message> Messages() {
    const std::vector<double> z{0.5, -0.0, 0.1, 2.0};
    const std::vector<double> c{-0.62772, -0.42193, 1e-300, 1.0};
    const std::vector<std::int32_t> counts{0, 300, -1, 2'000'000'000, 5};
    return {
        {"rows", EncodedRows({120, 15}),
         [&](auto bytes) { return codec_->DecodeRows(bytes, item_); }},
        {"coords", EncodedCoords(z, c),
         [&](auto bytes) { return codec_->DecodeCoords(bytes, 2, coords_); }},
        {"counts", EncodedCounts(counts),
         [&](auto bytes) { return codec_->DecodeCounts(bytes, counts_); }},
    };
  }
  DecodeFault Coords(const Bytes& bytes, std::size_t most_points = kAnyNumber) {
    return codec_->DecodeCoords(bytes, most_points, coords_);
  }
  DecodeFault Counts(const Bytes& bytes) { return codec_->DecodeCounts(bytes, counts_); }
  DecodeFault Rows(const Bytes& bytes) { return codec_->DecodeRows(bytes, item_); }

  RowsItem item_;
  CoordsView coords_;
  std::vector<std::int32_t> counts_ = std::vector<std::int32_t>(5);
};

Bytes FromText(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// "0a 10 ff"
Bytes FromHex(const std::string& text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 3) {
    bytes.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

TEST_P(CodecMistrustTest, CutShortAnywhere) {
  for (const Message& message : Messages()) {
    for (std::size_t length = 0; length < message.bytes.size(); ++length) {
      // A vector of exactly this length, so that reading beyond it is seen.
      const Bytes cut(message.bytes.begin(),
                      message.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      const DecodeFault fault = message.decode(cut);
      // Protobuf leaves out what is 0, so a message without its end may be one; its numbers are
      // then others, and the length of coords and counts is still checked.
      if (GetParam().id == CodecId::kProtobuf && message.name != "counts") continue;
      EXPECT_NE(fault, std::nullopt) << message.name << " cut to " << length;
    }
    EXPECT_EQ(message.decode(message.bytes), std::nullopt) << message.name;
  }
}

// A flipped byte may well be another number; it must not be another length.
TEST_P(CodecMistrustTest, EveryByteChangedInEveryWay) {
  for (const Message& message : Messages()) {
    for (std::size_t at = 0; at < message.bytes.size(); ++at) {
      for (unsigned change = 1; change < 256; ++change) {
        Bytes changed = message.bytes;
        changed[at] ^= static_cast<std::byte>(change);
        coords_ = {};
        const DecodeFault fault = message.decode(changed);
        if (message.name != "coords" || fault) continue;
        EXPECT_LE(coords_.z.size(), 4U);
        EXPECT_EQ(coords_.z.size(), coords_.c.size());
        EXPECT_EQ(coords_.z.size() % 2, 0U);
      }
    }
  }
}

TEST_P(CodecMistrustTest, BytesBehindTheEnd) {
  for (const Message& message : Messages()) {
    for (const unsigned extra : {0x00U, 0x01U, 0x2CU, 0x5DU, 0x7DU, 0x90U, 0xC0U, 0xFFU}) {
      Bytes longer = message.bytes;
      longer.push_back(static_cast<std::byte>(extra));
      EXPECT_NE(message.decode(longer), std::nullopt) << message.name << " and " << extra;
    }
    Bytes twice = message.bytes;
    twice.insert(twice.end(), message.bytes.begin(), message.bytes.end());
    EXPECT_NE(message.decode(twice), std::nullopt) << message.name;
  }
}

TEST_P(CodecMistrustTest, WrongNumberOfCounts) {
  for (const std::size_t found : {0, 1, 4, 6, 1000}) {
    EXPECT_NE(Counts(EncodedCounts(std::vector<std::int32_t>(found, 7))), std::nullopt) << found;
  }
}

TEST_P(CodecMistrustTest, WrongNumberOfCoordinates) {
  const std::vector<double> two(2, 0.1), three(3, 0.1), four(4, 0.1);
  EXPECT_NE(Coords(EncodedCoords(four, four), 1), std::nullopt);
  EXPECT_NE(Coords(EncodedCoords(four, two)), std::nullopt);
  EXPECT_NE(Coords(EncodedCoords(three, three)), std::nullopt);
  EXPECT_EQ(Coords(EncodedCoords(four, four), 2), std::nullopt);
}

TEST_P(CodecMistrustTest, MessagesOfAnotherKind) {
  const std::vector<Message> messages = Messages();
  EXPECT_NE(Coords(messages[2].bytes), std::nullopt);
  EXPECT_NE(Counts(messages[0].bytes), std::nullopt);
  EXPECT_NE(Counts(messages[1].bytes), std::nullopt);
  EXPECT_NE(Rows(messages[1].bytes), std::nullopt);
  if (GetParam().id != CodecId::kCereal) {  // which says nothing of what its numbers mean
    EXPECT_NE(Coords(messages[0].bytes), std::nullopt);
  }
}

TEST_P(CodecMistrustTest, NoiseOfAnyLength) {
  std::uint64_t state = 12345;
  for (int round = 0; round < 20'000; ++round) {
    Bytes noise(static_cast<std::size_t>(round % 67));
    for (std::byte& byte : noise) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      byte = static_cast<std::byte>(state >> 56U);
    }
    static_cast<void>(Rows(noise));
    static_cast<void>(Coords(noise));
    static_cast<void>(Counts(noise));
  }
}

// Each format's own ways to lie.
TEST_P(CodecMistrustTest, Lies) {
  switch (GetParam().id) {
    case CodecId::kRaw:
      FAIL();
    case CodecId::kCereal:
      for (const char* length : {"00 00 00 00 00 01 00 00", "ff ff ff ff ff ff ff ff",
                                 "00 00 00 00 00 00 00 80", "02 00 00 00 00 00 00 20"}) {
        EXPECT_NE(Coords(FromHex(length)), std::nullopt) << length;
        EXPECT_NE(Coords(FromHex(length + std::string(" 00 00 00 00 00 00 00 00"))), std::nullopt);
        EXPECT_NE(Counts(FromHex(length)), std::nullopt) << length;
      }
      break;
    case CodecId::kProtobuf:
      for (const char* bytes :
           {"0a 80 80 80 80 80 80 01", "0a ff ff ff ff 07", "0a ff ff ff ff ff ff ff ff ff 01",
            "0a f8 ff ff ff 07 00", "12 80 80 80 80 04 00 00", "0a 09 00 00 00 00 00 00 00 00 00",
            "0b 0b 0b 0b 0b", "0c", "00", "1a 01 00"}) {
        EXPECT_NE(Coords(FromHex(bytes)), std::nullopt) << bytes;
        EXPECT_NE(Counts(FromHex(bytes)), std::nullopt) << bytes;
      }
      // The right counts in other clothes: not packed, in two pieces, a number written too long,
      // a field that does not exist behind them.
      for (const char* bytes : {"08 02 08 02 08 02 08 02 08 02", "0a 03 02 02 02 0a 02 02 02",
                                "0a 06 82 00 02 02 02 02", "0a 05 02 02 02 02 02 10 01"}) {
        EXPECT_NE(Counts(FromHex(bytes)), std::nullopt) << bytes;
      }
      EXPECT_EQ(Counts(FromHex("0a 05 02 02 02 02 02")), std::nullopt);
      EXPECT_NE(Coords(Bytes(100'000, std::byte{0x0B})), std::nullopt);  // groups in groups
      break;
    case CodecId::kMsgpack:
      for (const char* bytes :
           {"82 a1 7a dd ff ff ff ff", "82 a1 7a dd ff ff ff ff cb 00", "df ff ff ff ff",
            "df ff ff ff ff a1 7a", "db ff ff ff ff 00", "82 db ff ff ff ff 00",
            "82 a1 7a c6 ff ff ff ff", "82 a1 7a 90 a1 7a 90", "83 a1 7a 90 a1 63 90 a1 78 90",
            "83 a1 7a 90 a1 7a 90 a1 63 90", "81 a1 7a 81 a1 63 90", "81 a1 7a 90",
            "82 a1 7a 92 01 02 a1 63 92 01 02", "82 a1 7a 91 91 00 a1 63 90",
            "82 a1 7a c0 a1 63 c0", "82 a1 7a 80 a1 63 80", "92 90 90", "c1", "82 01 90 02 90"}) {
        EXPECT_NE(Coords(FromHex(bytes)), std::nullopt) << bytes;
      }
      EXPECT_EQ(Coords(FromHex("82 a1 7a 90 a1 63 90")), std::nullopt);
      for (const char* fifth : {"ce 80 00 00 00", "cf ff ff ff ff ff ff ff ff", "ca 3f 80 00 00",
                                "d3 80 00 00 00 00 00 00 00", "c3", "a1 31", "05 06"}) {
        EXPECT_NE(Counts(FromHex("81 a6 63 6f 75 6e 74 73 95 01 02 03 04 " + std::string(fifth))),
                  std::nullopt)
            << fifth;
      }
      EXPECT_NE(Coords(Bytes(1'000'000, std::byte{0x91})), std::nullopt);  // arrays in arrays
      EXPECT_NE(Coords(Bytes(1'000'000, std::byte{0x81})), std::nullopt);
      break;
    case CodecId::kJson:
      for (const char* text : {"",
                               " ",
                               "null",
                               "7",
                               "[]",
                               "{}",
                               R"({"z":[]})",
                               R"({"z":[],"z":[]})",
                               R"({"z":[],"z":[],"c":[]})",
                               R"({"z":{"c":[]}})",
                               R"({"z":[],"c":[],"d":[]})",
                               R"({"z":[1e999,0.0],"c":[0.0,0.0]})",
                               R"({"z":[NaN,0.0],"c":[0.0,0.0]})",
                               R"({"z":["1.0",0.0],"c":[0.0,0.0]})",
                               R"({"z":[null,0.0],"c":[0.0,0.0]})",
                               R"({"z":[1,0],"c":[0,0]})",
                               R"({"z":[[0.5,0.5]],"c":[[0.5,0.5]]})",
                               R"({"z":{"z":[]},"c":[]})",
                               R"({"z":0.5,"c":0.5})",
                               R"({"z":[],"c":[]} x)",
                               R"({"z":[],"c":[],})"}) {
        EXPECT_NE(Coords(FromText(text)), std::nullopt) << text;
      }
      EXPECT_EQ(Coords(FromText(R"({"z":[],"c":[]})")), std::nullopt);
      for (const char* fifth : {"2147483648", "-2147483649", "99999999999999999999", "1.0", "true",
                                "\"5\"", "[5]", "5,6"}) {
        EXPECT_NE(Counts(FromText(R"({"counts":[1,2,3,4,)" + std::string(fifth) + "]}")),
                  std::nullopt)
            << fifth;
      }
      EXPECT_NE(Counts(FromText(R"({"counts":[1,2],"counts":[3,4,5]})")), std::nullopt);
      for (const char* text : {R"({"first_row":-1,"rows":1})", R"({"first_row":1.5,"rows":1})",
                               R"({"first_row":[1],"rows":[1]})"}) {
        EXPECT_NE(Rows(FromText(text)), std::nullopt) << text;
      }
      EXPECT_NE(Coords(FromText(std::string_view("{\"z\":[],\"c\":[]}\0{}", 18))), std::nullopt);
      EXPECT_NE(Coords(Bytes(1'000'000, std::byte{'['})), std::nullopt);
      EXPECT_NE(Coords(FromText(R"({"z":)" + std::string(1'000'000, '['))), std::nullopt);
      break;
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodecMistrustTest, testing::ValuesIn(Codecs().subspan(1)),
                         CodecTestName);

}  // namespace
}  // namespace procpool
