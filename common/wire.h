// The wire: what one frame looks like on every transport. docs/protocol.md is the page to this
// header.
//
//   frame = header (64 bytes) | annex (0, 56 or 88 bytes) | payload
//
// with payload_bytes bytes of payload, or none if the flag kInRegion is set.
//
// All numbers are little-endian and lie at the offsets given below; both ends are the same build on
// the same machine, so a frame is its bytes in memory. The annex stands before the payload, so that
// a receiver knows all about a payload before it has to find a place for it.
//
// Promise: Seal() fills in magic, version and hashes; Check() accepts exactly what Seal() made. The
// receiver copies a header once, checks the copy and from then on looks only at the copy.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include "common/clock.h"

namespace procpool {

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

inline constexpr std::uint32_t kWireMagic = 0x31465050;  // "PPF1"
inline constexpr std::uint16_t kWireVersion = 1;
/// No payload is longer; a header that says otherwise is refused before anything is allocated.
inline constexpr std::uint64_t kMaxPayloadBytes = std::uint64_t{1} << 40;

enum class FrameType : std::uint8_t {
  kReady = 1,  ///< worker → master: ReadyMessage
  kJob =
      2,  ///< master → worker: name of the task, then the context that all items of the job share
  kItem = 3,    ///< master → worker: one input
  kResult = 4,  ///< worker → master: a piece of the result, or all of it
  kFailed = 5,  ///< worker → master: the task threw; payload is type, '\0', text
  kForget =
      6,  ///< master → worker: the job is over; of job 0: memory is, as the control socket says
  kStop = 7,       ///< master → worker: finish what was given, then leave
  kInit = 8,       ///< master → worker: run the initializer; payload as of kJob, then its input
  kInitDone = 9,   ///< worker → master: it has run, and took so long (Nanoseconds)
  kStepThrew = 10  ///< worker → master: one step of the item threw, the item goes on; payload is
                   ///< the step (8 bytes), then as of kFailed
};
inline constexpr FrameType kLastFrameType = FrameType::kStepThrew;

enum FrameFlag : std::uint8_t {
  kLastPart = 1,  ///< result: this piece completes it
  kInRegion =
      2,  ///< the payload lies in memory that both sides share; nothing of it is in the stream
  kPlaced = 4,    ///< item: the annex says where the result may be written
  kTimed = 8,     ///< item: the result shall carry its times; result: it does
  kWatched = 16,  ///< item: the beginning of each of its steps is to be marked with its time
  kTogether = 32  ///< item: its result may wait for those of the same job that come after it
};
inline constexpr std::uint8_t kKnownFlags =
    kLastPart | kInRegion | kPlaced | kTimed | kWatched | kTogether;

struct FrameHeader {
  std::uint32_t magic = kWireMagic;      //  0
  std::uint16_t version = kWireVersion;  //  4
  FrameType type{};                      //  6
  std::uint8_t flags = 0;                //  7
  std::uint32_t task = 0;                //  8  TaskId() of the task's name
  std::uint32_t job = 0;                 // 12
  std::uint64_t item = 0;                // 16
  std::uint32_t attempt = 0;             // 24
  std::uint32_t annex_bytes = 0;         // 28
  std::uint64_t payload_bytes = 0;       // 32
  std::uint64_t offset = 0;              // 40  where this piece begins in its result
  std::uint64_t payload_hash = 0;  // 48  0 for an input that lies in a region: nothing was moved
  std::uint64_t header_hash = 0;   // 56  XXH3-64 of bytes 0 … 55
};
static_assert(sizeof(FrameHeader) == 64 && std::is_trivially_copyable_v<FrameHeader>);
static_assert(std::has_unique_object_representations_v<FrameHeader>);

/// A stretch of a shared region, named so that both sides can find it in their own mapping.
struct Locator {
  std::uint32_t region = 0;  ///< 0: none
  std::uint32_t reserved = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// Annex of an item: where its input lies (kInRegion) and where its result may go (kPlaced).
struct ItemAnnex {
  Locator input;
  Locator place;
  std::uint64_t hash = 0;  ///< XXH3-64 of the bytes before
};

/// Annex of a completed result (kTimed): when what happened in the worker. First points in time on
/// the clock of the machine, in this order; then durations, all between `begun` and `finished`.
struct ResultAnnex {
  Nanoseconds turned = 0;    ///< what came before was answered; the worker turned to this item
  Nanoseconds arrived = 0;   ///< the item's head was here
  Nanoseconds received = 0;  ///< all of the item was here and its hash right
  Nanoseconds begun = 0;     ///< task entered
  Nanoseconds finished = 0;  ///< task left
  Nanoseconds decode = 0;    ///< the task made sense of its input
  Nanoseconds compute = 0;
  Nanoseconds compute_cpu = 0;  ///< CPU time of the worker's thread during `compute`
  Nanoseconds encode = 0;       ///< the task gave its result the form in which it travels
  Nanoseconds sending = 0;      ///< handing pieces to the channel and waiting for room in it
  std::uint64_t hash = 0;
};
static_assert(sizeof(ItemAnnex) == 56 && sizeof(ResultAnnex) == 88);

/// How long the annex of such a frame is, if it has one.
constexpr std::size_t AnnexBytesOf(FrameType type) {
  if (type == FrameType::kItem) return sizeof(ItemAnnex);
  return type == FrameType::kResult ? sizeof(ResultAnnex) : 0;
}
inline constexpr std::size_t kMostAnnexBytes = sizeof(ResultAnnex);
inline constexpr std::size_t kMaxFrameHead = sizeof(FrameHeader) + kMostAnnexBytes;

/// Payload of kReady.
struct ReadyMessage {
  std::uint32_t wire_version = kWireVersion;
  std::int32_t pid = 0;
  std::uint64_t build = 0;  ///< BuildId()
  Nanoseconds main_reached = 0;
};

enum class WireFault : std::uint8_t {
  kNone,
  kMagic,
  kVersion,
  kType,
  kFlags,
  kAnnexLength,
  kPayloadLength,
  kHeaderHash,
  kAnnexHash,
  kPayloadHash,
};
/// "the header's hash does not match"
std::string_view WireFaultText(WireFault fault);

/// Sets magic, version and header_hash; payload_hash and annex_bytes must be set before.
void Seal(FrameHeader& header);
/// First fault of a header as it came, or kNone.
WireFault Check(const FrameHeader& header);

/// Annexes are sealed and checked as bytes, 8 at least: the last 8 are the hash of those before.
void SealAnnex(std::span<std::byte> annex);
bool AnnexIsSound(std::span<const std::byte> annex);

/// Number under which a task's name travels: the low half of its XXH3-64.
std::uint32_t TaskId(std::string_view name);

}  // namespace procpool
