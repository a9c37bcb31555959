#include "common/channel_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <fstream>
#include <utility>

#include "common/os_error.h"

namespace procpool {
namespace {

constexpr int kLargestBuffer = 1 << 20;
constexpr int kSmallestBuffer = 1 << 16;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kUsualUserPages = 16384;  // fs.pipe-user-pages-soft where it cannot be read

class PipeChannel final : public Channel {
 public:
  PipeChannel(UniqueFd in, UniqueFd out) : in_(std::move(in)), out_(std::move(out)) {}
  int readable_fd() const override { return in_.get(); }
  int writable_fd() const override { return out_.get(); }

 protected:
  // A single piece goes without the list, which the kernel would have to copy and check first.
  std::ptrdiff_t WriteSome(std::span<const iovec> pieces) override {
    for (;;) {
      const ssize_t moved =
          pieces.size() == 1 ? ::write(out_.get(), pieces.front().iov_base, pieces.front().iov_len)
                             : ::writev(out_.get(), pieces.data(), static_cast<int>(pieces.size()));
      if (moved >= 0) return moved;
      if (errno == EINTR) continue;
      return errno == EAGAIN ? 0 : std::ptrdiff_t{kPeerGone};
    }
  }

  std::ptrdiff_t ReadSome(std::span<const iovec> pieces) override {
    for (;;) {
      const ssize_t moved =
          pieces.size() == 1 ? ::read(in_.get(), pieces.front().iov_base, pieces.front().iov_len)
                             : ::readv(in_.get(), pieces.data(), static_cast<int>(pieces.size()));
      if (moved > 0) return moved;
      if (moved == 0) return kPeerGone;
      if (errno == EINTR) continue;
      return errno == EAGAIN ? 0 : std::ptrdiff_t{kPeerGone};
    }
  }

  void WaitFor(bool for_bytes, bool for_room, Deadline deadline) override {
    // The reading end is watched in any case: its hang-up says that the peer is gone, whatever is
    // waited for.
    std::array<pollfd, 2> fds{{{in_.get(), static_cast<short>(for_bytes ? POLLIN : 0), 0},
                               {out_.get(), static_cast<short>(for_room ? POLLOUT : 0), 0}}};
    ::poll(fds.data(), for_room ? 2 : 1, deadline.LeftForPoll());
  }

 private:
  UniqueFd in_;
  UniqueFd out_;
};

std::pair<UniqueFd, UniqueFd> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    ThrowErrno("create", "pipe", "raise the descriptor limit (ulimit -n) or use fewer workers");
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

int PipeBufferBytes(std::size_t workers) {
  std::size_t pages = 0;
  std::ifstream("/proc/sys/fs/pipe-user-pages-soft") >> pages;
  if (pages == 0) pages = kUsualUserPages;
  const std::size_t share = pages * kPageBytes / 4 / (2 * std::max<std::size_t>(workers, 1));
  const std::size_t power = std::bit_floor(std::max<std::size_t>(share, 1));
  return static_cast<int>(std::clamp<std::size_t>(power, kSmallestBuffer, kLargestBuffer));
}

PipePair MakePipeChannel(int buffer_bytes) {
  auto [task_out, task_in] = MakePipe();
  auto [result_out, result_in] = MakePipe();
  if (buffer_bytes > kSmallestBuffer) {
    // A refusal leaves the pipe as it was born, which is slower but right.
    static_cast<void>(::fcntl(task_in.get(), F_SETPIPE_SZ, buffer_bytes));
    static_cast<void>(::fcntl(result_in.get(), F_SETPIPE_SZ, buffer_bytes));
  }
  return {OpenPipeChannel(std::move(result_out), std::move(task_in)), std::move(task_out),
          std::move(result_in)};
}

std::unique_ptr<Channel> OpenPipeChannel(UniqueFd in, UniqueFd out) {
  return std::make_unique<PipeChannel>(std::move(in), std::move(out));
}

}  // namespace procpool
