// A link: one contender of `master ipc`, a way to bring bytes to a peer and back. The timed loops
// (ipc_measure.h) are the same for every link; a link gives the set-up and the moves.
//
// Promise: what arrives is handed out as it arrived, for the loop to read every byte. A peer that
// dies or does not answer in time is an Error{kMachine}, never a hang. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "common/clock.h"
#include "master/worker_pool.h"

namespace procpool {

/// How long a peer may take for what one loop asks of it.
inline constexpr Nanoseconds kPeerDeadline = 60 * kSecond;

class Link {
 public:
  /// A message is here: its number and its bytes, valid during the call.
  using Arrived = std::function<void(std::uint64_t number, std::span<const std::byte> bytes)>;

  virtual ~Link() = default;

  /// The peer's process; -1: it has none.
  virtual pid_t peer() const { return -1; }

  /// From Wake() to Rest() the peer may use a CPU; outside it sleeps, whatever its wait mode is, so
  /// that it does not disturb the others.
  virtual void Wake() {}
  virtual void Rest() noexcept {}

  /// `count` round trips of `bytes` follow.
  virtual void BeginRoundTrips(std::size_t /*bytes*/, std::uint64_t /*count*/) {}
  /// Where the next message is to be written.
  virtual std::span<std::byte> Message(std::size_t bytes) = 0;
  /// Sends the message and waits for the same bytes from the peer; valid until the next call.
  virtual std::span<const std::byte> RoundTrip(std::size_t bytes) = 0;

  /// The peer writes `count` messages of `bytes`, message i with the pattern that begins at i
  /// (common/pattern.h), and sends them as fast as it can.
  virtual void Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) = 0;
};

}  // namespace procpool
