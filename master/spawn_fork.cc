// fork + exec, as most programs do it. It copies the page tables of the parent, which takes
// milliseconds for every gigabyte that is resident; it is here to be compared with.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "common/clock.h"
#include "master/spawn_child.h"

namespace procpool {
namespace {

constexpr Nanoseconds kExecDeadline = 10 * kSecond;

// The child's errno, or 0 once exec has closed the child's end of the pipe.
int ErrorFrom(int pipe) {
  for (const Deadline deadline = Deadline::After(kExecDeadline); !deadline.Passed();) {
    pollfd said{pipe, POLLIN, 0};
    if (::poll(&said, 1, deadline.LeftForPoll()) <= 0) continue;
    int error = 0;
    const ssize_t got = ::read(pipe, &error, sizeof error);
    if (got < 0 && errno == EINTR) continue;
    return got == sizeof error ? error : 0;
  }
  return ETIMEDOUT;
}

}  // namespace

Spawned SpawnByFork(const SpawnCommand& command) {
  const SpawnChild child(command);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {.error = errno};
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  Spawned spawned;
  spawned.pid = ::fork();
  if (spawned.pid < 0) return {.error = errno};
  if (spawned.pid == 0) {
    const int error = child.Exec();
    static_cast<void>(!::write(write_end.get(), &error, sizeof error));
    ::_exit(kNoProgram);
  }
  write_end.Reset();
  spawned.error = ErrorFrom(read_end.get());
  if (spawned.error != 0) {
    ::kill(spawned.pid, SIGKILL);
    ::waitpid(spawned.pid, nullptr, 0);
  }
  return spawned;
}

}  // namespace procpool
