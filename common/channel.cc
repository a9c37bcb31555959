#include "common/channel.h"

#include <algorithm>
#include <cstring>

#include "common/checksum.h"

namespace procpool {
namespace {

// Post() pushes back beyond this, so that a slow peer costs a bounded amount of memory.
constexpr std::size_t kMostUnsentSmallBytes = std::size_t{1} << 20;
constexpr std::size_t kMostPieces = 16;

template <typename T>
std::span<const std::byte> BytesOf(const T& object) {
  return std::as_bytes(std::span(&object, 1));
}

}  // namespace

// ---- sending

void Channel::AppendSmall(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const bool continues = !segments_.empty() && segments_.back().external == nullptr;
  if (continues) {
    segments_.back().bytes += bytes.size();
  } else {
    segments_.push_back({nullptr, small_.size(), bytes.size()});
  }
  small_.insert(small_.end(), bytes.begin(), bytes.end());
  unsent_bytes_ += bytes.size();
}

bool Channel::Post(const OutFrame& frame) {
  if (segments_.empty()) small_.clear();
  if (small_.size() + kMaxFrameHead + kSmallPayload > kMostUnsentSmallBytes) return false;

  FrameHeader header = frame.header;
  header.flags &= kLastPart | kTimed | kWatched | kTogether;
  header.payload_bytes = frame.payload.size();
  header.annex_bytes = 0;
  header.payload_hash = 0;

  std::array<std::byte, kMostAnnexBytes> annex{};
  const RegionTable* table = regions();
  std::optional<Locator> input;
  std::optional<Locator> place;
  if (table != nullptr) {
    // Only these two say, or know, where their payload lies.
    const bool can_stay = header.type == FrameType::kItem || header.type == FrameType::kResult;
    if (can_stay && !frame.payload.empty()) input = table->Locate(frame.payload);
    if (!frame.place.empty()) place = table->Locate(frame.place);
  }
  if (input) header.flags |= kInRegion;
  if (header.type == FrameType::kItem) {
    if (place) header.flags |= kPlaced;
    if (input || place) {
      const ItemAnnex item{input.value_or(Locator{}), place.value_or(Locator{}), 0};
      std::memcpy(annex.data(), &item, sizeof item);
      header.annex_bytes = sizeof item;
    }
  } else if (frame.times) {
    std::memcpy(annex.data(), &*frame.times, sizeof(ResultAnnex));
    header.annex_bytes = sizeof(ResultAnnex);
  }
  // An input that lies in shared memory is not hashed: nothing moved, the worker reads the bytes
  // themselves.
  const bool unmoved_input = input && header.type == FrameType::kItem;
  if (!unmoved_input) header.payload_hash = Hash(frame.payload);
  Seal(header);

  AppendSmall(BytesOf(header));
  if (header.annex_bytes != 0) {
    const std::span<std::byte> used = std::span(annex).first(header.annex_bytes);
    SealAnnex(used);
    AppendSmall(used);
  }
  if ((header.flags & kInRegion) != 0) return true;
  if (frame.payload.size() <= kSmallPayload) {
    AppendSmall(frame.payload);
  } else {
    segments_.push_back({frame.payload.data(), 0, frame.payload.size()});
    unsent_bytes_ += frame.payload.size();
  }
  return true;
}

void Channel::DropSent(std::size_t bytes) {
  unsent_bytes_ -= bytes;
  while (bytes > 0) {
    Segment& segment = segments_.front();
    const std::size_t part = std::min(bytes, segment.bytes);
    segment.begin += part;
    segment.bytes -= part;
    bytes -= part;
    if (segment.bytes == 0) segments_.pop_front();
  }
  if (segments_.empty()) kept_.clear();
}

void Channel::KeepUnsent() {
  for (Segment& segment : segments_) {
    if (segment.external == nullptr) continue;
    const std::byte* const begin = segment.external + segment.begin;
    kept_.emplace_back(begin, begin + segment.bytes);
    segment.external = kept_.back().data();
    segment.begin = 0;
  }
}

IoStatus Channel::Flush() {
  while (!segments_.empty()) {
    std::array<iovec, kMostPieces> pieces;  // NOLINT: only the filled part is read
    std::size_t count = 0;
    for (const Segment& segment : segments_) {
      if (count == kMostPieces) break;
      const std::byte* base = segment.external != nullptr ? segment.external : small_.data();
      pieces[count++] = {const_cast<std::byte*>(base) + segment.begin, segment.bytes};
    }
    const std::ptrdiff_t moved = WriteSome({pieces.data(), count});
    if (moved == 0) return IoStatus::kBlocked;
    if (moved == kPeerGone) return IoStatus::kClosed;
    if (moved < 0) return Break("sending failed");
    traffic_.sent += static_cast<std::size_t>(moved);
    DropSent(static_cast<std::size_t>(moved));
  }
  return IoStatus::kDone;
}

void Channel::Abandon() {
  segments_.clear();
  kept_.clear();
  small_.clear();
  unsent_bytes_ = 0;
  payload_ = {};
  if (fault_.empty()) fault_ = "it was given up";
}

// ---- receiving

IoStatus Channel::Break(std::string_view reason) {
  if (fault_.empty()) fault_ = reason;
  return IoStatus::kBroken;
}

// Reads into `destination` (from *destination_got on) and, behind it, ahead into the buffer.
IoStatus Channel::Fill(std::span<std::byte> destination, std::size_t* destination_got) {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  if (in_end_ + read_ahead_ > in_.size()) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  std::array<iovec, 2> pieces{};
  std::size_t count = 0;
  const std::size_t wanted = destination.size() - *destination_got;
  if (wanted > 0) pieces[count++] = {destination.data() + *destination_got, wanted};
  pieces[count++] = {in_.data() + in_end_, std::min(read_ahead_, in_.size() - in_end_)};
  const std::ptrdiff_t moved = ReadSome({pieces.data(), count});
  if (moved == 0) return IoStatus::kBlocked;
  if (moved == kPeerGone) return IoStatus::kClosed;
  if (moved < 0) return Break("receiving failed");
  traffic_.received += static_cast<std::size_t>(moved);
  const std::size_t to_destination = std::min(wanted, static_cast<std::size_t>(moved));
  *destination_got += to_destination;
  in_end_ += static_cast<std::size_t>(moved) - to_destination;
  return IoStatus::kDone;
}

// Copies header and annex out of the buffer if they are there in full. The header is checked by the
// caller as soon as it is complete; only its checked annex length decides how much more belongs to
// the head.
bool Channel::TakeHead() {
  const std::size_t present = in_end_ - in_begin_;
  if (present < sizeof(FrameHeader)) return false;
  std::memcpy(&header_, in_.data() + in_begin_, sizeof header_);
  header_fault_ = Check(header_);
  if (header_fault_ != WireFault::kNone) return true;
  if (present < sizeof(FrameHeader) + header_.annex_bytes) return false;
  std::memcpy(annex_.data(), in_.data() + in_begin_ + sizeof header_, header_.annex_bytes);
  in_begin_ += sizeof header_ + header_.annex_bytes;
  return true;
}

std::optional<std::span<std::byte>> Channel::ResolveRegion(const Locator& locator) {
  const RegionTable* table = regions();
  if (table == nullptr) return std::nullopt;
  if (table->Find(locator.region) == nullptr) FetchRegions();
  return table->Resolve(locator);
}

IoStatus Channel::BeginPayload(FrameSink& sink) {
  if (header_fault_ != WireFault::kNone) return Break(WireFaultText(header_fault_));
  if (header_.annex_bytes != 0 && !AnnexIsSound(std::span(annex_).first(header_.annex_bytes))) {
    return Break(WireFaultText(WireFault::kAnnexHash));
  }
  if ((header_.flags & kTimed) != 0) arrived_ = Now();
  payload_got_ = 0;
  if ((header_.flags & kInRegion) != 0 && regions() == nullptr) {
    return Break("its payload is said to lie in shared memory, and none is shared");
  }
  if (header_.type == FrameType::kItem && (header_.flags & kInRegion) != 0) {
    ItemAnnex item;
    std::memcpy(&item, annex_.data(), sizeof item);
    const auto input = header_.annex_bytes != 0 ? ResolveRegion(item.input) : std::nullopt;
    if (!input || input->size() != header_.payload_bytes)
      return Break("its input lies in no known region");
    payload_ = *input;
  } else {
    const auto place = sink.PlaceFor(header_);
    if (!place || place->size() != header_.payload_bytes) return Break(sink.Refusal());
    payload_ = *place;
  }
  progress_ = Progress::kPayload;
  return IoStatus::kDone;
}

IoStatus Channel::FinishFrame(FrameSink& sink) {
  const bool unmoved_input = header_.type == FrameType::kItem && (header_.flags & kInRegion) != 0;
  if (!unmoved_input && Hash(payload_) != header_.payload_hash) {
    return Break(WireFaultText(WireFault::kPayloadHash));
  }
  Frame frame{header_, payload_, {}, std::nullopt, arrived_};
  if (header_.annex_bytes != 0) {
    if (header_.type == FrameType::kItem) {
      ItemAnnex item;
      std::memcpy(&item, annex_.data(), sizeof item);
      if ((header_.flags & kPlaced) != 0) {
        const auto place = ResolveRegion(item.place);
        if (!place) return Break("its result's place lies in no known region");
        frame.place = *place;
      }
    } else {
      ResultAnnex times;
      std::memcpy(&times, annex_.data(), sizeof times);
      frame.times = times;
    }
  }
  // After a long payload only the next head is read ahead, so that the payload behind it goes
  // straight to its place; after a short one a whole buffer is, so that many small frames come with
  // one read.
  read_ahead_ = payload_.size() > kSmallPayload ? kMaxFrameHead : in_.size() / 2;
  progress_ = Progress::kHead;
  sink.Take(frame);
  return IoStatus::kDone;
}

IoStatus Channel::Receive(FrameSink& sink, std::size_t most_frames) {
  return Receive(sink, most_frames, Reading::kUntilDrained);
}

IoStatus Channel::Receive(FrameSink& sink, std::size_t most_frames, Reading reading) {
  if (!fault_.empty()) return IoStatus::kBroken;
  for (std::size_t frames = 0; frames < most_frames;) {
    const bool enough = reading == Reading::kOnce && frames > 0;
    if (progress_ == Progress::kHead) {
      if (!TakeHead()) {
        if (enough) return IoStatus::kDone;
        std::size_t none = 0;
        if (const IoStatus status = Fill({}, &none); status != IoStatus::kDone) return status;
        continue;
      }
      if (const IoStatus status = BeginPayload(sink); status != IoStatus::kDone) return status;
    }
    if ((header_.flags & kInRegion) == 0) {
      const std::size_t buffered = std::min(payload_.size() - payload_got_, in_end_ - in_begin_);
      if (buffered > 0) {
        std::memcpy(payload_.data() + payload_got_, in_.data() + in_begin_, buffered);
      }
      payload_got_ += buffered;
      in_begin_ += buffered;
      if (payload_got_ < payload_.size()) {
        if (enough) return IoStatus::kDone;
        // A payload that did not come with its head is a long one: read it straight into its place.
        read_ahead_ = kMaxFrameHead;
        if (const IoStatus status = Fill(payload_, &payload_got_); status != IoStatus::kDone)
          return status;
        continue;
      }
    }
    if (const IoStatus status = FinishFrame(sink); status != IoStatus::kDone) return status;
    ++frames;
  }
  return IoStatus::kDone;
}

}  // namespace procpool
