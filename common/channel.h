// A channel: one end of the connection between the master and one worker. It moves frames and knows
// nothing of what is in them.
//
// Contract, for every transport (tests/channel_conformance_test.cc, channel_mistrust_test.cc):
//
//   C1  Frames arrive in the order they were posted, whole and checked, or not at all. What a peer
//       sent before it died can still be received; a frame it left unfinished is dropped.
//
//   C2  Post() never blocks and never drops: a full channel says so (false), and the frame is still
//       the caller's. A payload up to kSmallPayload is copied by Post(); a longer one must stay
//       valid and unchanged until HasUnsent() is false.
//
//   C3  Flush() and Receive() never block. The blocking forms take a deadline, and also wake when
//       the peer is gone.
//
//   C4  Who receives says where a payload goes, after its header was checked
//       (FrameSink::PlaceFor). A payload that already lies in memory both sides share is not moved:
//       the same call then names that memory.
//
//   C5  The peer is not trusted: a frame that fails a check ends the channel (kBroken), with
//       fault() saying why. No length is believed before it was checked, and nothing is allocated
//       on a peer's word.
//
//   C6  Not thread-safe: one thread per end.
//
// The base class owns the framing; a transport moves bytes (WriteSome, ReadSome) and knows how to
// wait.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/shared_region.h"
#include "common/wire.h"

namespace procpool {

enum class IoStatus {
  kDone,     ///< all that was asked
  kBlocked,  ///< not now: full (sending), empty (receiving); or the deadline passed
  kClosed,   ///< the peer is gone
  kBroken,   ///< the peer broke the protocol, see fault()
};

/// A frame as it is posted. header: type, flags (kLastPart, kTimed, kWatched, kTogether), task,
/// job, item, attempt and offset are the caller's; lengths, hashes and the other flags are filled
/// in by Post().
struct OutFrame {
  FrameHeader header{};
  std::span<const std::byte> payload{};
  std::span<const std::byte>
      place{};  ///< items: where the result may be written, if both sides share that memory
  std::optional<ResultAnnex> times{};  ///< results: sent along when set
};

/// A frame as it arrived. `payload` is what PlaceFor() named; `place` is not empty if the result
/// may be written there.
struct Frame {
  FrameHeader header;
  std::span<const std::byte> payload;
  std::span<std::byte> place;
  std::optional<ResultAnnex> times;
  Nanoseconds arrived = 0;  ///< with kTimed: when its head was here and checked
};

class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Where the payload of this (checked) header goes: exactly header.payload_bytes bytes, valid
  /// until Take(). With kInRegion on a result: where it already lies. Nothing: the header is
  /// refused, with Refusal()'s text as reason.
  virtual std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) = 0;
  /// The frame is here and its hash is right.
  virtual void Take(const Frame& frame) = 0;
  /// Why PlaceFor said no.
  virtual std::string Refusal() const { return "it was not asked for"; }
};

inline constexpr std::size_t kSmallPayload = 4096;
inline constexpr std::size_t kMostFrames = 512;  // of one call, unless it says otherwise

/// Bytes that a channel's end moved itself, frame heads included; what lies in shared memory and
/// was only pointed at is not among them. Every one of them is copied twice on its way: into the
/// transport, and out of it.
struct Traffic {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

class Channel {
 public:
  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool Post(const OutFrame& frame);
  /// Bytes that Post() accepted and the transport has not.
  bool HasUnsent() const { return !segments_.empty(); }
  std::size_t UnsentBytes() const { return unsent_bytes_; }
  IoStatus Flush();
  /// Hands every frame that is here to the sink, but at most `most_frames`, so that one busy peer
  /// cannot starve the others. kDone: there may be more; kBlocked: drained.
  IoStatus Receive(FrameSink& sink, std::size_t most_frames = kMostFrames);

  /// Blocking forms: until all is sent / at least one frame was received. A receiving one hands out
  /// what one read brings and reads no further, so that an answer is not kept waiting by a look for
  /// more; kClosed comes when all that the peer sent was handed out.
  IoStatus FlushBefore(Deadline deadline);
  IoStatus ReceiveBefore(FrameSink& sink, Deadline deadline);
  /// The same, at most `longest` from when it has to wait: reads no clock if it need not.
  IoStatus ReceiveWithin(FrameSink& sink, Nanoseconds longest);
  /// Bytes that were read and not handed out yet: more frames, or the beginning of one.
  bool HasReadAhead() const { return in_begin_ != in_end_; }

  /// Whether a payload has come in part: until the rest is here the place that was named for it is
  /// written to.
  bool IsInPayload() const { return progress_ == Progress::kPayload; }

  /// Copies what is unsent and lies in memory of the caller's, which may go now.
  void KeepUnsent();
  /// Forgets what is unsent and receives nothing more: the memory that both refer to may go now.
  void Abandon();

  const std::string& fault() const { return fault_; }
  const Traffic& traffic() const { return traffic_; }

  /// For an event loop: poll these for reading, and writable_fd for writing when Flush() said
  /// kBlocked (-1: room is announced through readable_fd as well).
  virtual int readable_fd() const = 0;
  virtual int writable_fd() const { return -1; }
  /// To be called before sleeping on readable_fd. False: something is here already, do not sleep.
  virtual bool Arm() { return true; }
  /// Whether bytes are here, told without a system call and without arming; nothing where only the
  /// system knows.
  virtual std::optional<bool> Peek() const { return std::nullopt; }
  /// To be called when readable_fd woke the loop.
  virtual void AcknowledgeWake() {}
  /// Whether Flush() costs no system call as long as the peer is awake, so that nothing is won by
  /// gathering frames.
  virtual bool FlushIsCheap() const { return false; }
  /// Takes in what the master said about shared regions: new ones, and ones to let go of. Called
  /// when a region is not known yet, and by the worker when a job begins.
  virtual void FetchRegions() {}
  /// True while a transport that was found locked by a stopped peer is left alone (queue).
  virtual bool Stalled() const { return false; }
  /// How long WaitFor spins before it parks. 0: park at once.
  void SpinBeforeParking(Nanoseconds duration) { spin_ = duration; }

 protected:
  Channel() = default;
  enum : std::ptrdiff_t { kPeerGone = -1, kProtocolBroken = -2 };
  /// Move bytes; return how many, 0 if none can be moved now, kPeerGone or kProtocolBroken.
  virtual std::ptrdiff_t WriteSome(std::span<const iovec> pieces) = 0;
  virtual std::ptrdiff_t ReadSome(std::span<const iovec> pieces) = 0;
  /// Sleeps until bytes can be read (or written, if `for_room`), the peer is gone or the deadline
  /// has passed. May return early.
  virtual void WaitFor(bool for_bytes, bool for_room, Deadline deadline) = 0;
  void SetFault(std::string fault) { fault_ = std::move(fault); }
  /// Where shared memory is recognised; nullptr where the transport shares none.
  virtual const RegionTable* regions() { return nullptr; }

  /// For a channel that stands before another one.
  static std::ptrdiff_t WriteSomeOf(Channel& other, std::span<const iovec> pieces) {
    return other.WriteSome(pieces);
  }
  static std::ptrdiff_t ReadSomeOf(Channel& other, std::span<const iovec> pieces) {
    return other.ReadSome(pieces);
  }
  static void WaitForOf(Channel& other, bool for_bytes, bool for_room, Deadline deadline) {
    other.WaitFor(for_bytes, for_room, deadline);
  }
  static const RegionTable* RegionsOf(Channel& other) { return other.regions(); }

 private:
  // What Post() queued: stretches of small_ (by position, for small_ moves when it grows) and long
  // payloads.
  struct Segment {
    const std::byte* external;  // nullptr: in small_
    std::size_t begin;
    std::size_t bytes;
  };
  enum class Progress { kHead, kPayload };
  enum class Reading { kUntilDrained, kOnce };

  void AppendSmall(std::span<const std::byte> bytes);
  void DropSent(std::size_t bytes);
  IoStatus Fill(std::span<std::byte> destination, std::size_t* destination_got);
  IoStatus Break(std::string_view reason);
  bool TakeHead();
  IoStatus BeginPayload(FrameSink& sink);
  IoStatus FinishFrame(FrameSink& sink);
  IoStatus Receive(FrameSink& sink, std::size_t most_frames, Reading reading);
  IoStatus LookOften(FrameSink& sink);
  template <typename MakeDeadline>
  IoStatus ReceiveOrWait(FrameSink& sink, const MakeDeadline& make_deadline);
  std::optional<std::span<std::byte>> ResolveRegion(const Locator& locator);

  std::deque<Segment> segments_;
  std::deque<std::vector<std::byte>> kept_;  // what segments refer to, once it was copied
  std::vector<std::byte> small_;
  std::size_t unsent_bytes_ = 0;

  std::vector<std::byte> in_ = std::vector<std::byte>(std::size_t{64} * 1024);
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::size_t read_ahead_ =
      kMaxFrameHead;  // how much is read beyond the bytes that are sure to be wanted
  Progress progress_ = Progress::kHead;
  FrameHeader header_;  // the receiver's private copy
  WireFault header_fault_ = WireFault::kNone;
  std::array<std::byte, kMostAnnexBytes> annex_{};  // likewise
  Nanoseconds arrived_ = 0;
  std::span<std::byte> payload_;
  std::size_t payload_got_ = 0;

  std::string fault_;
  Traffic traffic_;
  Nanoseconds spin_ = 0;
};

}  // namespace procpool
