#include "common/wire.h"

#include <cstring>

#include "common/checksum.h"

namespace procpool {
namespace {

std::uint64_t HeaderHash(const FrameHeader& header) {
  return Hash(std::as_bytes(std::span(&header, 1)).first<offsetof(FrameHeader, header_hash)>());
}

}  // namespace

std::string_view WireFaultText(WireFault fault) {
  switch (fault) {
    case WireFault::kNone:
      return "no fault";
    case WireFault::kMagic:
      return "it does not begin with the frame magic";
    case WireFault::kVersion:
      return "it has another protocol version";
    case WireFault::kType:
      return "its frame type is unknown";
    case WireFault::kFlags:
      return "it carries unknown flags";
    case WireFault::kAnnexLength:
      return "its annex has an impossible length";
    case WireFault::kPayloadLength:
      return "its payload has an impossible length";
    case WireFault::kHeaderHash:
      return "the header's hash does not match";
    case WireFault::kAnnexHash:
      return "the annex' hash does not match";
    case WireFault::kPayloadHash:
      return "the payload's hash does not match";
  }
  return "unknown fault";
}

void Seal(FrameHeader& header) {
  header.magic = kWireMagic;
  header.version = kWireVersion;
  header.header_hash = HeaderHash(header);
}

WireFault Check(const FrameHeader& header) {
  if (header.magic != kWireMagic) return WireFault::kMagic;
  if (header.version != kWireVersion) return WireFault::kVersion;
  if (header.header_hash != HeaderHash(header)) return WireFault::kHeaderHash;
  if (header.type < FrameType::kReady || header.type > kLastFrameType) return WireFault::kType;
  if ((header.flags & ~kKnownFlags) != 0) return WireFault::kFlags;
  if (header.annex_bytes != 0 && header.annex_bytes != AnnexBytesOf(header.type)) {
    return WireFault::kAnnexLength;
  }
  if (header.payload_bytes > kMaxPayloadBytes) return WireFault::kPayloadLength;
  if (header.offset > kMaxPayloadBytes) return WireFault::kPayloadLength;
  return WireFault::kNone;
}

void SealAnnex(std::span<std::byte> annex) {
  const std::uint64_t hash = Hash(annex.first(annex.size() - sizeof hash));
  std::memcpy(annex.last(sizeof hash).data(), &hash, sizeof hash);
}

bool AnnexIsSound(std::span<const std::byte> annex) {
  std::uint64_t hash = 0;
  std::memcpy(&hash, annex.last(sizeof hash).data(), sizeof hash);
  return hash == Hash(annex.first(annex.size() - sizeof hash));
}

std::uint32_t TaskId(std::string_view name) {
  return static_cast<std::uint32_t>(Hash(std::as_bytes(std::span(name.data(), name.size()))));
}

}  // namespace procpool
