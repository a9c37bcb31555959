#include "worker/fork_server.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "common/clock.h"
#include "common/fork_server.h"
#include "common/launch.h"

namespace procpool {
namespace {

constexpr Nanoseconds kReplyDeadline = 2 * kSecond;

// The descriptors' owners give them up: from here on their numbers mean something else.
bool TakePlaces(std::vector<UniqueFd>& fds) {
  const int end = kControlFd + static_cast<int>(fds.size());
  for (UniqueFd& fd : fds) {
    // Two moves, so that none is overwritten before it has been moved.
    const int moved = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, end);
    if (moved < 0) return false;
    fd.Reset(moved);
  }
  int place = kControlFd;
  for (UniqueFd& fd : fds) {
    if (::dup2(fd.Release(), place++) < 0) return false;
  }
  return ::syscall(SYS_close_range, end, ~0U, 0) == 0;
}

bool PeerGone(int socket) {
  char nothing = 0;
  return ::recv(socket, &nothing, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

std::optional<std::string> ServeForks(int socket) {
  while (!PeerGone(socket)) {
    auto request = ReceiveForkRequest(socket, Deadline::After(kSecond));
    if (!request) continue;
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PARENT | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    // As a fork, but the C library does not know of it: its record of the thread's number stays
    // that of the server.
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
      ::setpgid(0, 0);
      if (!TakePlaces(request->fds)) ::_exit(1);
      return std::move(request->argument);
    }
    const ForkReply reply{
        .pid = static_cast<pid_t>(pid), .error = pid < 0 ? errno : 0, .pidfd = UniqueFd(pidfd)};
    if (!SendForkReply(socket, reply, Deadline::After(kReplyDeadline))) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace procpool
