// The control socket between the master and one worker: AF_UNIX, SEQPACKET. It carries what a byte
// stream cannot, descriptors of shared regions, and its hang-up tells either side that the other is
// gone.
//
// Promise: never blocks longer than the deadline given; descriptors arrive close-on-exec; a
// malformed message is an Error, its descriptors are closed.
#pragma once

#include <cstdint>
#include <utility>

#include "common/clock.h"
#include "common/shared_region.h"
#include "common/unique_fd.h"

namespace procpool {

class ControlSocket {
 public:
  explicit ControlSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  /// Two connected ends, close-on-exec and non-blocking. Throws Error{kMachine}.
  static std::pair<ControlSocket, ControlSocket> MakePair();

  /// Sends a region under a number. False if the peer is gone or its queue is full until the
  /// deadline.
  bool SendRegion(std::uint32_t id, const SharedRegion& region, Deadline deadline) const;
  /// Tells the peer to let go of a region.
  bool SendForget(std::uint32_t id, Deadline deadline) const;
  /// Takes in all messages that are here and applies them to the table.
  void ReceiveInto(RegionTable& table) const;

  bool PeerGone() const;
  int fd() const { return fd_.get(); }
  UniqueFd TakeFd() { return std::move(fd_); }

 private:
  UniqueFd fd_;
};

}  // namespace procpool
