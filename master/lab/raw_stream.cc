#include "master/lab/raw_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/channel_pipe.h"
#include "common/os_error.h"
#include "common/unique_fd.h"

namespace procpool {
namespace {

class StreamEnd final : public RawEnd {
 public:
  /// A socket is one descriptor for both directions: `out` is empty then.
  StreamEnd(WaitMode mode, UniqueFd in, UniqueFd out)
      : mode_(mode), in_(std::move(in)), out_(std::move(out)) {}

  void Send(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      ssize_t moved = 0;
      const bool done = SpinUntil(mode_, watch(), [&] {
        moved = ::write(out(), bytes.data(), bytes.size());
        return moved >= 0 || errno != EAGAIN;
      });
      if (moved >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(moved));
      } else {
        Refused(done, out(), POLLOUT);
      }
    }
  }

  void Receive(std::span<std::byte> bytes) override {
    while (!bytes.empty()) {
      ssize_t moved = 0;
      const bool done = SpinUntil(mode_, watch(), [&] {
        moved = ::read(in_.get(), bytes.data(), bytes.size());
        return moved >= 0 || errno != EAGAIN;
      });
      if (moved == 0) watch().ThrowGone();
      if (moved > 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(moved));
      } else {
        Refused(done, in_.get(), POLLIN);
      }
    }
  }

 private:
  int out() const { return out_ ? out_.get() : in_.get(); }

  // The call moved nothing: it was interrupted, the peer is gone, or (not `done`) it is time to
  // sleep.
  void Refused(bool done, int fd, short events) {
    if (!done) return PollFor(fd, events, watch());
    if (errno != EINTR) watch().ThrowGone();
    watch().Check();
  }

  WaitMode mode_;
  UniqueFd in_;
  UniqueFd out_;
};

std::pair<UniqueFd, UniqueFd> MakePipe(WaitMode mode) {
  std::array<int, 2> ends{};
  const int flags = O_CLOEXEC | (mode == WaitMode::kPark ? 0 : O_NONBLOCK);
  if (::pipe2(ends.data(), flags) != 0)
    ThrowErrno("create", "pipe", "raise the descriptor limit (ulimit -n)");
  // A refusal leaves the pipe as it was born, as it does for the transport.
  static_cast<void>(::fcntl(ends[1], F_SETPIPE_SZ, PipeBufferBytes(1)));
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

RawPair MakeRawPipe(WaitMode mode) {
  auto [far_in, near_out] = MakePipe(mode);
  auto [near_in, far_out] = MakePipe(mode);
  return {std::make_unique<StreamEnd>(mode, std::move(near_in), std::move(near_out)),
          std::make_unique<StreamEnd>(mode, std::move(far_in), std::move(far_out))};
}

RawPair MakeRawSocketPair(WaitMode mode) {
  std::array<int, 2> ends{};
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (mode == WaitMode::kPark ? 0 : SOCK_NONBLOCK);
  if (::socketpair(AF_UNIX, type, 0, ends.data()) != 0)
    ThrowErrno("create", "socket pair", "raise the descriptor limit (ulimit -n)");
  return {std::make_unique<StreamEnd>(mode, UniqueFd(ends[0]), UniqueFd()),
          std::make_unique<StreamEnd>(mode, UniqueFd(ends[1]), UniqueFd())};
}

}  // namespace procpool
