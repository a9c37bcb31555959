#include "master/spawn_child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "common/os_error.h"
#include "common/standard_streams.h"

namespace procpool {

SpawnChild::SpawnChild(const SpawnCommand& command) : command_(command) {
  if (command.inherit.size() > kMostInherited) {
    throw std::invalid_argument("a worker inherits no more than 16 descriptors");
  }
  const int end = kFirstInherited + static_cast<int>(command.inherit.size());
  for (const int fd : command.inherit) {
    if (fd >= end) {
      sources_.push_back(fd);
      continue;
    }
    UniqueFd moved(::fcntl(fd, F_DUPFD_CLOEXEC, end));
    if (!moved) {
      ThrowErrno("duplicate", "descriptor for a worker",
                 "raise the descriptor limit (ulimit -n) or use fewer workers");
    }
    sources_.push_back(moved.get());
    moved_.push_back(std::move(moved));
  }
  // exec takes pointers to what it does not change.
  argv_[0] = const_cast<char*>(command.program.c_str());   // NOLINT
  argv_[1] = const_cast<char*>(command.argument.c_str());  // NOLINT
}

int SpawnChild::SetUp() const {
  if (::setpgid(0, 0) != 0) return errno;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    // The C library keeps two signals for itself and refuses them here; that is as it should be.
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_DFL) {
      action = {};
      action.sa_handler = SIG_DFL;
      ::sigaction(signal, &action, nullptr);
    }
  }
  const bool has_error = HasStandardError();
  const int null = ::open("/dev/null", O_RDWR);  // NOLINT: closed with the others at exec
  if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) return errno;
  // A parent without standard error has none to give; that is no reason not to start.
  if (!has_error && ::dup2(null, STDERR_FILENO) < 0) return errno;
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return errno;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (::dup2(sources_[i], kFirstInherited + static_cast<int>(i)) < 0) return errno;
  }
  // Everything else is the parent's alone. What is procpool's is close-on-exec already; a host
  // program's descriptors may not be. Before Linux 5.11 this fails, and only procpool's are closed.
  ::syscall(SYS_close_range, end(), ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  if (command_.restore_fd_limit) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
    limit.rlim_cur = command_.fd_soft_limit;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  return 0;
}

int SpawnChild::Exec() const {
  const int error = SetUp();
  if (error != 0) return error;
  ::execve(argv_[0], argv_.data(), environ);
  return errno;
}

}  // namespace procpool
