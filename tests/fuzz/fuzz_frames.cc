// The frame decoder, fed by a hostile worker: Channel::Receive, with a sink as strict as the
// master's.
//
// What must hold whatever comes: a frame that is taken has the right hash, and lies where the sink
// said or in the region that both share; what came whole before the first fault is taken, in order;
// once the channel is broken nothing more is; no byte is written outside the place that was named
// (the address sanitizer's word), and nothing is allocated on the peer's word (-malloc_limit_mb).
#include <deque>
#include <memory>

#include "common/checksum.h"
#include "tests/fuzz/frame_script.h"
#include "tests/fuzz/script_channel.h"

namespace procpool {
namespace {

constexpr std::size_t kMostPayload = 20'000;
constexpr std::size_t kRegionBytes = 5000;
constexpr std::uint32_t kRegion = 1;
// Of this job the sink wants nothing; of this one it names places that are too long.
constexpr std::uint32_t kUnwanted = 7;
constexpr std::uint32_t kMisplaced = 8;

// A memfd costs more than an input; this one stays, and is only read and hashed.
const RegionTable& Regions() {
  static const RegionTable table = [] {
    RegionTable made;
    made.Add(kRegion, std::make_shared<SharedRegion>(SharedRegion::Create(kRegionBytes)));
    return made;
  }();
  return table;
}

class StrictSink final : public FrameSink {
 public:
  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override {
    Require(!broken, "the sink is asked though the channel is broken");
    Require(Check(header) == WireFault::kNone, "the sink is asked about a header with a fault");
    place_.reset();
    if (!Accepts(header)) return std::nullopt;
    if ((header.flags & kInRegion) != 0) {
      return Regions().Resolve({kRegion, 0, header.offset, header.payload_bytes});
    }
    // Exactly as long, so that one byte more is seen.
    const std::size_t length = header.payload_bytes + (header.job == kMisplaced ? 1 : 0);
    place_ = std::make_unique<std::byte[]>(length);
    return std::span(place_.get(), length);
  }

  void Take(const Frame& frame) override {
    Require(!broken, "a frame is taken though the channel is broken");
    const bool in_region = (frame.header.flags & kInRegion) != 0;
    Require(frame.payload.size() == frame.header.payload_bytes, "a payload of another length");
    Require(frame.header.job != kMisplaced || in_region, "a payload in a place of another length");
    if (in_region) {
      Require(frame.payload.empty() || Regions().Locate(frame.payload).has_value(),
              "a payload outside of the region that it is said to lie in");
    } else {
      Require(frame.payload.data() == place_.get(), "a payload elsewhere than the sink said");
    }
    if (!in_region || frame.header.type != FrameType::kItem) {
      Require(Hash(frame.payload) == frame.header.payload_hash, "a payload with a wrong hash");
    }
    Require(frame.place.empty() || Regions().Locate(frame.place).has_value(),
            "a result's place outside of all regions");
    if (expected.empty()) return;
    Require(std::memcmp(&expected.front().header, &frame.header, sizeof frame.header) == 0,
            "another frame than the one that was sent");
    expected.pop_front();
  }

  /// What a master takes; and items, which it must bear being sent.
  static bool Accepts(const FrameHeader& header) {
    return header.payload_bytes <= kMostPayload && header.job != kUnwanted &&
           header.type != FrameType::kStop && header.type != FrameType::kForget;
  }

  std::deque<ScriptedBytes> expected;  ///< whole frames, until the first fault was sent
  bool broken = false;

 private:
  std::unique_ptr<std::byte[]> place_;  // NOLINT: an array of exactly this size
};

/// Whether an honest sender may send this, and the sink wants it.
bool IsTaken(const ScriptedBytes& sent) {
  return sent.is_frame && Check(sent.header) == WireFault::kNone && sent.header.annex_bytes == 0 &&
         sent.header.job != kMisplaced && (sent.header.flags & (kInRegion | kPlaced)) == 0 &&
         StrictSink::Accepts(sent.header);
}

void Play(FuzzInput input) {
  ScriptChannel channel(input.Flip() ? &Regions() : nullptr);
  channel.LimitReads(1 + input.Number() % 70'000);
  StrictSink sink;
  bool honest = true;
  while (!input.AtEnd()) {
    const std::uint8_t choice = input.Byte();
    ScriptedBytes sent;
    if (choice < 0x20) {
      sent = MakeBytes(input);
    } else {
      const FrameFields fields{.type = static_cast<FrameType>(choice % 13),
                               .job = static_cast<std::uint32_t>(input.Number()),
                               .item = input.Number(),
                               .attempt = input.Byte(),
                               .offset = input.Number()};
      sent = MakeFrame(fields, input);
    }
    if (sent.bytes.empty()) continue;
    honest = honest && IsTaken(sent);
    channel.Feed(sent.bytes);
    if (honest) sink.expected.push_back(std::move(sent));
    const IoStatus status = channel.Receive(sink, 1 + choice % 64);
    Require(!sink.broken || status == IoStatus::kBroken, "a broken channel receives again");
    sink.broken = status == IoStatus::kBroken;
    Require(sink.broken == !channel.fault().empty(), "a fault without a break, or the reverse");
  }
  channel.Close();
  while (channel.Receive(sink) == IoStatus::kDone) {
  }
  Require(sink.expected.empty(), "a whole frame that came before the first fault is not taken");
}

}  // namespace
}  // namespace procpool

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  procpool::Play(procpool::FuzzInput(data, size));
  return 0;
}
