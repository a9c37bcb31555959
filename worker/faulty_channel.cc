#include "worker/faulty_channel.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

#include "common/checksum.h"

namespace procpool {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t StreamBytes(const FrameHeader& header) {
  return sizeof header + header.annex_bytes +
         ((header.flags & kInRegion) != 0 ? 0 : header.payload_bytes);
}

// The bytes again, so that what lies behind their first half cannot be read: whoever copies them
// dies in the middle of it. A queue's lock is then held, a ring's counters are then not moved.
std::span<const std::byte> WithoutTheirEnd(std::span<const std::byte> bytes) {
  const std::size_t readable = (bytes.size() / 2 + kPage - 1) / kPage * kPage;
  const std::size_t all = readable + (bytes.size() + kPage - 1) / kPage * kPage;
  void* const memory =
      ::mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return bytes;
  auto* const begin = static_cast<std::byte*>(memory) + readable - bytes.size() / 2;
  std::memcpy(begin, bytes.data(), bytes.size());
  ::mprotect(static_cast<std::byte*>(memory) + readable, all - readable, PROT_NONE);
  return {begin, bytes.size()};
}

// How the copying ends, for the handler of the signal that it ends with.
const FaultRule* death = nullptr;

void DieByCopying(const FaultRule& rule) {
  death = &rule;
  struct sigaction action {};
  action.sa_handler = [](int) { FaultInjector::Die(*death); };
  ::sigaction(SIGSEGV, &action, nullptr);
}

}  // namespace

// A frame on its way.
struct FaultyChannel::Sending {
  Bytes frame;
  FrameHeader header;
  std::size_t sent = 0;
  unsigned copies = 1;
  bool trickle = false;
  bool held = false;

  void Reseal() {
    if ((header.flags & kInRegion) == 0) {
      const auto payload = std::span(frame).subspan(sizeof header + header.annex_bytes);
      header.payload_hash = Hash(payload);
    }
    Seal(header);
    std::memcpy(frame.data(), &header, sizeof header);
  }
};

std::ptrdiff_t FaultyChannel::Write(std::span<const std::byte> bytes, bool trickle) {
  while (!bytes.empty()) {
    const iovec piece{const_cast<std::byte*>(bytes.data()), trickle ? 1 : bytes.size()};
    const std::ptrdiff_t moved = WriteSomeOf(inner_, std::span(&piece, 1));
    if (moved < 0) return moved;
    if (moved == 0) WaitForOf(inner_, false, true, Deadline::After(kSecond));
    bytes = bytes.subspan(static_cast<std::size_t>(moved));
  }
  return 1;
}

std::ptrdiff_t FaultyChannel::ReleaseHeld() {
  return Write(std::exchange(held_, {}), faults_.trickles());
}

// Takes all it is given: what is not a whole frame yet waits for its rest, which comes before
// anything else happens.
std::ptrdiff_t FaultyChannel::WriteSome(std::span<const iovec> pieces) {
  std::size_t taken = 0;
  for (const iovec& piece : pieces) {
    const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
    out_.insert(out_.end(), begin, begin + piece.iov_len);
    taken += piece.iov_len;
  }
  for (FrameHeader header; out_.size() >= sizeof header;) {
    std::memcpy(&header, out_.data(), sizeof header);
    const std::size_t bytes = StreamBytes(header);
    if (out_.size() < bytes) break;
    const auto end = out_.begin() + static_cast<std::ptrdiff_t>(bytes);
    Bytes frame(out_.begin(), end);
    out_.erase(out_.begin(), end);
    if (const std::ptrdiff_t sent = Send(std::move(frame)); sent < 0) return sent;
  }
  return static_cast<std::ptrdiff_t>(taken);
}

// What a rule does to the frame before it leaves.
void FaultyChannel::Spoil(const FaultRule& rule, Sending& sending) {
  constexpr auto kBit = std::byte{0x10};
  FrameHeader& header = sending.header;
  faults_.Count(rule);
  switch (rule.kind) {
    case FaultKind::kTrickle:
      sending.trickle = true;
      return;
    case FaultKind::kDuplicate:
      sending.copies = 2;
      return;
    case FaultKind::kReorder:
      sending.held = true;
      return;
    case FaultKind::kCorrupt:
      if (rule.argument == 0 && (header.flags & kInRegion) != 0 && !place_.empty()) {
        place_[place_.size() / 2] ^= kBit;
      } else if (rule.argument == 0 && header.payload_bytes > 0 &&
                 (header.flags & kInRegion) == 0) {
        sending.frame.back() ^= kBit;
      } else {
        sending.frame[offsetof(FrameHeader, item)] ^= kBit;
      }
      return;
    case FaultKind::kForge: {
      ReadyMessage ready;
      std::byte* const payload = sending.frame.data() + sizeof header + header.annex_bytes;
      switch (static_cast<Forgery>(rule.argument)) {
        case Forgery::kChunk:
          header.item += std::uint64_t{1} << 32U;
          break;
        case Forgery::kAttempt:
          ++header.attempt;
          break;
        case Forgery::kJob:
          header.job += 1000;
          break;
        case Forgery::kOffset:
          header.offset += 4;
          break;
        case Forgery::kLength:
          header.payload_bytes = 0xFFFFFFFF;
          break;
        case Forgery::kOverflow:
          header.offset = ~std::uint64_t{0} - 7;
          header.payload_bytes = ~std::uint64_t{0} - 7;
          break;
        case Forgery::kVersion:
        case Forgery::kBuild:
          std::memcpy(&ready, payload, sizeof ready);
          ready.wire_version += rule.argument == static_cast<int>(Forgery::kVersion) ? 1 : 0;
          ready.build += rule.argument == static_cast<int>(Forgery::kBuild) ? 1 : 0;
          std::memcpy(payload, &ready, sizeof ready);
          break;
      }
      return sending.Reseal();
    }
    default:
      return;
  }
}

std::ptrdiff_t FaultyChannel::Send(Bytes frame) {
  Sending sending{.frame = std::move(frame), .header = {}, .trickle = faults_.trickles()};
  std::memcpy(&sending.header, sending.frame.data(), sizeof sending.header);
  const FrameHeader header = sending.header;
  const bool ready = header.type == FrameType::kReady;
  const bool answer = header.type == FrameType::kFailed ||
                      (header.type == FrameType::kResult && (header.flags & kLastPart) != 0);
  if (!ready && !answer) return Write(sending.frame, sending.trickle);

  const FaultTarget target =
      ready ? faults_.ThisProcess() : faults_.Chunk(header.item, header.attempt);
  std::vector<const FaultRule*> midway;
  for (const FaultRule* rule :
       faults_.Struck(ready ? FaultStep::kReady : FaultStep::kSending, target)) {
    const bool of_the_frame = rule->kind == FaultKind::kCorrupt ||
                              rule->kind == FaultKind::kDuplicate ||
                              rule->kind == FaultKind::kReorder ||
                              rule->kind == FaultKind::kForge || rule->kind == FaultKind::kTrickle;
    if (of_the_frame) {
      Spoil(*rule, sending);
    } else {
      midway.push_back(rule);
    }
  }
  if (sending.held) {
    held_.insert(held_.end(), sending.frame.begin(), sending.frame.end());
    return 1;
  }
  const std::span<const std::byte> bytes(sending.frame);
  for (const FaultRule* rule : midway) {
    // READY is only about to be sent; of an answer half is on its way.
    if (!ready && sending.sent == 0) {
      sending.sent = bytes.size() / 2;
      if (const auto sent = Write(bytes.first(sending.sent), sending.trickle); sent < 0)
        return sent;
    }
    if (rule->kind == FaultKind::kTruncate) {
      if (ready) Write(bytes.first(bytes.size() / 2), sending.trickle);
      faults_.Count(*rule);
      ::_exit(0);
    }
    if (!ready && FaultInjector::IsDeadly(*rule)) {
      faults_.Count(*rule);
      DieByCopying(*rule);
      Write(WithoutTheirEnd(bytes.subspan(sending.sent)), false);
      FaultInjector::Die(*rule);  // where the system copies, it refuses to instead
    }
    faults_.Act(*rule);
  }
  for (unsigned copy = 0; copy < sending.copies; ++copy) {
    const auto sent = Write(bytes.subspan(std::exchange(sending.sent, 0)), sending.trickle);
    if (sent < 0) return sent;
  }
  if (!ready) {
    for (const FaultRule* rule : faults_.Struck(FaultStep::kSent, target)) faults_.Act(*rule);
  }
  return held_.empty() ? 1 : ReleaseHeld();
}

std::ptrdiff_t FaultyChannel::ReadSome(std::span<const iovec> pieces) {
  if (!held_.empty()) {
    if (const std::ptrdiff_t sent = ReleaseHeld(); sent < 0) return sent;
  }
  if (!faults_.trickles()) return ReadSomeOf(inner_, pieces);
  const iovec one{pieces.front().iov_base, 1};
  return ReadSomeOf(inner_, std::span(&one, 1));
}

void FaultyChannel::WaitFor(bool for_bytes, bool for_room, Deadline deadline) {
  WaitForOf(inner_, for_bytes, for_room, deadline);
}

}  // namespace procpool
