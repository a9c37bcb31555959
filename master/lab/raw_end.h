// One side of a raw primitive: sends and receives bytes to and from the other side, waiting as its
// wait mode says. Both sides know how much is to come; nothing but the bytes travels.
//
// Promise: a wait ends by itself when the peer has died or the deadline is over, with
// Error{kMachine}. A peer process that is made by fork needs neither: the kernel kills it with its
// parent.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/clock.h"
#include "master/worker_pool.h"

namespace procpool {

/// Looks after a wait that may last.
class PeerWatch {
 public:
  /// `pidfd` is not owned; -1: there is no process to look after.
  void Begin(std::string what, int pidfd, Nanoseconds longest);
  /// Throws if the peer has gone or the time is over.
  void Check() const;
  [[noreturn]] void ThrowGone() const;

 private:
  std::string what_ = "a raw primitive";
  int pidfd_ = -1;
  std::optional<Deadline> deadline_;
};

/// A wait that can only be interrupted by a signal (a blocking read) is interrupted once a second,
/// to look after the peer. One at a time; takes over SIGALRM and the real-time interval timer.
class WaitInterrupter {
 public:
  WaitInterrupter();
  ~WaitInterrupter();
  WaitInterrupter(const WaitInterrupter&) = delete;
  WaitInterrupter& operator=(const WaitInterrupter&) = delete;
};

class RawEnd {
 public:
  virtual ~RawEnd() = default;
  virtual void Send(std::span<const std::byte> bytes) = 0;
  virtual void Receive(std::span<std::byte> bytes) = 0;
  PeerWatch& watch() { return watch_; }

 private:
  PeerWatch watch_;
};

struct RawPair {
  std::unique_ptr<RawEnd> near, far;
};

/// Tries until it succeeds or the spinning time of the wait mode is over; false then. `try_once`
/// gives a bool.
template <typename Try>
bool SpinUntil(WaitMode mode, const PeerWatch& watch, const Try& try_once) {
  constexpr unsigned kTriesPerClock = 16;
  constexpr unsigned kTriesPerCheck = 1U << 16;
  if (try_once()) return true;
  if (mode == WaitMode::kPark) return false;
  const Nanoseconds end = Now() + SpinOf(mode);
  for (unsigned tries = 1;; ++tries) {
    if (try_once()) return true;
    if (tries % kTriesPerClock != 0) continue;
    // Spinning has no end: the time of mode `spin` is for waits between jobs.
    if (mode != WaitMode::kSpin && Now() >= end) return false;
    if (tries % kTriesPerCheck == 0) watch.Check();
  }
}

/// Sleeps until poll() reports `events` on the descriptor; looks after the peer meanwhile.
void PollFor(int fd, short events, const PeerWatch& watch);

}  // namespace procpool
