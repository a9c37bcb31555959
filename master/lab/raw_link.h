// A raw primitive as a link: a peer process made by fork that answers over the primitive's far end.
//
// The peer sleeps in a read of its orders whenever it has none, whatever the wait mode is. It dies
// with its parent (PR_SET_PDEATHSIG); the destructor kills and reaps it. To be made before the
// program has threads or large memory, for a fork copies neither well.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/unique_fd.h"
#include "master/lab/ipc_link.h"
#include "master/lab/raw_end.h"

namespace procpool {

class RawLink final : public Link {
 public:
  /// `message` and `answer` are where messages are written and answers arrive: the caller's, as
  /// long as the largest message. Throws Error{kMachine}.
  RawLink(std::string name, RawPair ends, std::span<std::byte> message,
          std::span<std::byte> answer);
  ~RawLink() override;
  RawLink(const RawLink&) = delete;
  RawLink& operator=(const RawLink&) = delete;

  pid_t peer() const override { return pid_; }
  void Wake() override;
  void Rest() noexcept override;
  void BeginRoundTrips(std::size_t bytes, std::uint64_t count) override;
  std::span<std::byte> Message(std::size_t bytes) override { return message_.first(bytes); }
  std::span<const std::byte> RoundTrip(std::size_t bytes) override;
  void Stream(std::size_t bytes, std::uint64_t count, const Arrived& arrived) override;

 private:
  struct Order;
  void Send(const Order& order);
  [[noreturn]] static void Serve(RawEnd& end, int orders, pid_t parent);

  std::string name_;
  std::unique_ptr<RawEnd> near_;
  std::span<std::byte> message_;
  std::span<std::byte> answer_;
  UniqueFd orders_;
  pid_t pid_ = -1;
  UniqueFd pidfd_;
  std::unique_ptr<WaitInterrupter> interrupter_;
};

}  // namespace procpool
