#include "tests/fuzz/frame_script.h"

#include <array>
#include <cstring>

#include "common/checksum.h"

namespace procpool {
namespace {

template <typename T>
void Append(std::vector<std::byte>& bytes, const T& object) {
  const auto more = std::as_bytes(std::span(&object, 1));
  bytes.insert(bytes.end(), more.begin(), more.end());
}

Locator MakeLocator(FuzzInput& input) {
  return {static_cast<std::uint32_t>(input.Pick(3)), 0, input.Number(), input.Number()};
}

std::vector<std::byte> MakeAnnex(FrameType type, FuzzInput& input) {
  std::vector<std::byte> annex;
  if (type == FrameType::kItem) {
    Append(annex, ItemAnnex{MakeLocator(input), MakeLocator(input), 0});
  } else if (type == FrameType::kResult) {
    const auto time = [&input] { return static_cast<Nanoseconds>(input.Number()); };
    Append(annex, ResultAnnex{time(), time(), time(), time(), 5, 6, 7, 8, 9, time(), 0});
  } else {
    return annex;
  }
  if (input.Byte() != 0xff) SealAnnex(annex);
  return annex;
}

// Short ones are the fuzzer's own bytes; long ones are made of one, so that an input stays small.
std::vector<std::byte> MakePayload(FuzzInput& input) {
  const std::uint8_t length = input.Byte();
  if (length < 0xf8) {
    const auto bytes = input.Bytes(length % 32);
    return {bytes.begin(), bytes.end()};
  }
  return std::vector<std::byte>((length - std::size_t{0xf0}) * 1000, std::byte{input.Byte()});
}

}  // namespace

ScriptedBytes MakeFrame(const FrameFields& fields, FuzzInput& input) {
  ScriptedBytes made;
  FrameHeader& header = made.header;
  header.type = fields.type;
  header.job = fields.job;
  header.item = fields.item;
  header.attempt = fields.attempt;
  header.offset = fields.offset;
  header.flags = input.Byte();
  header.task = input.Byte();
  const std::vector<std::byte> annex =
      (header.flags & 64U) != 0 ? MakeAnnex(header.type, input) : std::vector<std::byte>();
  header.flags &= static_cast<std::uint8_t>(~64U);  // no frame's flag: here it asks for an annex
  header.annex_bytes = static_cast<std::uint32_t>(annex.size());
  made.payload = MakePayload(input);
  header.payload_bytes = made.payload.size();
  header.payload_hash = Hash(made.payload);
  made.is_frame = true;
  const std::size_t lie = input.Byte();
  if (lie >= 0xf8) {
    made.is_frame = false;
    if (lie % 4 == 0) header.payload_bytes = input.Number();
    if (lie % 4 == 1) header.annex_bytes = static_cast<std::uint32_t>(input.Number());
    if (lie % 4 == 2) header.payload_hash = input.Word();
  }
  Seal(header);
  Append(made.bytes, header);
  made.bytes.insert(made.bytes.end(), annex.begin(), annex.end());
  if ((header.flags & kInRegion) == 0 || lie == 0xff) {
    made.bytes.insert(made.bytes.end(), made.payload.begin(), made.payload.end());
  }
  if (lie >= 0xf0 && lie < 0xf8) {  // what goes wrong on the way
    const std::size_t bit =
        (input.Byte() * std::size_t{256} + input.Byte()) % (made.bytes.size() * 8);
    made.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    made.is_frame = false;
  }
  return made;
}

ScriptedBytes MakeBytes(FuzzInput& input) {
  const auto bytes = input.Bytes(input.Byte());
  return {.bytes = {bytes.begin(), bytes.end()}};
}

}  // namespace procpool
