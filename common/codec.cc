#include "common/codec.h"

#include <algorithm>
#include <array>

#include <procpool/error.h>

namespace procpool {
namespace {

constexpr auto kCodecs = std::to_array<CodecInfo>({
    {CodecId::kRaw, "raw", "the numbers as they lie in memory"},
    {CodecId::kCereal, "cereal", "cereal's binary archive"},
    {CodecId::kProtobuf, "protobuf", "Protocol Buffers, packed repeated fields"},
    {CodecId::kMsgpack, "msgpack", "MessagePack, arrays of numbers"},
    {CodecId::kJson, "json", "JSON, arrays of numbers as text"},
});

}  // namespace

std::span<const CodecInfo> Codecs() {
  return kCodecs;
}

const CodecInfo* FindCodec(std::string_view name) {
  const auto found = std::ranges::find(kCodecs, name, &CodecInfo::name);
  return found == kCodecs.end() ? nullptr : &*found;
}

std::unique_ptr<Codec> MakeCodec(CodecId id) {
  switch (id) {
    case CodecId::kRaw:
      return nullptr;
    case CodecId::kCereal:
      return MakeCerealCodec();
    case CodecId::kProtobuf:
      return MakeProtobufCodec();
    case CodecId::kMsgpack:
      return MakeMsgpackCodec();
    case CodecId::kJson:
      return MakeJsonCodec();
  }
  return nullptr;
}

void Codec::Refuse(std::string_view cause, std::string_view remedy) const {
  throw Error(Blame::kMachine,
              {"encode", "a chunk as " + std::string(name()), std::string(cause), remedy});
}

std::size_t Codec::CopyOut(std::span<const std::byte> encoded, std::span<std::byte> out) const {
  if (encoded.size() > out.size()) Refuse("it is longer than the memory for it", "");
  std::ranges::copy(encoded, out.begin());
  return encoded.size();
}

std::string WrongNumberText(std::uint64_t found, std::uint64_t expected) {
  return "it has " + std::to_string(found) + " numbers where " + std::to_string(expected) +
         " are expected";
}

DecodeFault CoordsFault(const CoordsView& coords) {
  if (coords.c.size() != coords.z.size()) return WrongNumberText(coords.c.size(), coords.z.size());
  if (coords.z.size() % 2 != 0) return "its last point is half a point";
  return std::nullopt;
}

}  // namespace procpool
