// The blocking forms of a channel: how they spin, and when they sleep.
#include "common/channel.h"

namespace procpool {
namespace {

// Spinning asks the clock only every so many looks. Where looking is a system call, it counts more.
constexpr unsigned kPeeksPerClock = 64;
constexpr unsigned kReadsPerClock = 16;

}  // namespace

IoStatus Channel::FlushBefore(Deadline deadline) {
  for (;;) {
    const IoStatus status = Flush();
    if (status != IoStatus::kBlocked || deadline.Passed()) return status;
    WaitFor(false, true, deadline);
  }
}

// Begins with a read, not with Peek(): only a read tells that the peer has gone.
IoStatus Channel::LookOften(FrameSink& sink) {
  IoStatus status = Receive(sink, kMostFrames, Reading::kOnce);
  if (spin_ == 0 || status != IoStatus::kBlocked) return status;
  const unsigned looks = Peek() ? kPeeksPerClock : kReadsPerClock;
  for (unsigned look = 0; look < looks && status == IoStatus::kBlocked; ++look) {
    if (Peek().value_or(true)) status = Receive(sink, kMostFrames, Reading::kOnce);
  }
  return status;
}

template <typename MakeDeadline>
IoStatus Channel::ReceiveOrWait(FrameSink& sink, const MakeDeadline& make_deadline) {
  IoStatus status = LookOften(sink);
  if (status != IoStatus::kBlocked) return status;
  Nanoseconds now = Now();
  const Deadline deadline = make_deadline(now);
  Nanoseconds spin_until = now + spin_;
  for (;; now = Now()) {
    if (now >= deadline.time()) return IoStatus::kBlocked;
    if (now >= spin_until) {
      WaitFor(true, false, deadline);
      spin_until = Now() + spin_;
    }
    status = LookOften(sink);
    if (status != IoStatus::kBlocked) return status;
  }
}

IoStatus Channel::ReceiveBefore(FrameSink& sink, Deadline deadline) {
  return ReceiveOrWait(sink, [&](Nanoseconds /*now*/) { return deadline; });
}

IoStatus Channel::ReceiveWithin(FrameSink& sink, Nanoseconds longest) {
  return ReceiveOrWait(sink, [&](Nanoseconds now) { return Deadline::At(now + longest); });
}

}  // namespace procpool
