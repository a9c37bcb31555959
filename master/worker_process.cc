#include "master/worker_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <procpool/error.h>
#include "common/os_error.h"

namespace procpool {
namespace {

int OpenPidfd(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

// While the child runs on the parent's memory no signal handler may run in it: all signals are
// blocked around the spawn; the child unblocks them as its last step, with all dispositions at
// their defaults.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t before_{};
};

Error SpawnError(const std::string& program, int error_number) {
  const bool program_at_fault = error_number == ENOENT || error_number == EACCES ||
                                error_number == ENOEXEC || error_number == ENOTDIR ||
                                error_number == ELOOP || error_number == ENAMETOOLONG;
  const std::string cause = ErrnoText(error_number);
  return Error(
      program_at_fault ? Blame::kUser : Blame::kMachine,
      {"spawn", "worker '" + program + "'", cause,
       program_at_fault ? "name an executable worker program"
                        : "use fewer workers or raise the limits on processes and memory"});
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

std::string ProcessExit::Text() const {
  switch (kind) {
    case Kind::kExited:
      return "exited with code " + std::to_string(value);
    case Kind::kSignalled:
      return "killed by signal " + std::to_string(value) + " (" + SignalName(value) + ")";
    default:
      return "ended, its status is unknown";
  }
}

WorkerProcess WorkerProcess::Spawn(const Command& command, const SpawnMethod& method) {
  Spawned spawned;
  {
    const BlockSignals blocked;
    spawned = method.spawn(command);
  }
  if (spawned.error != 0) throw SpawnError(command.program, spawned.error);
  return Adopt(spawned.pid, std::move(spawned.pidfd));
}

WorkerProcess WorkerProcess::Adopt(pid_t pid, UniqueFd pidfd) {
  if (!pidfd) pidfd.Reset(OpenPidfd(pid));
  if (!pidfd) {
    const int reason = errno;
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw Error(Blame::kMachine,
                {"watch", "worker process " + std::to_string(pid), ErrnoText(reason),
                 "raise the descriptor limit (ulimit -n); procpool needs Linux 5.4 or later"});
  }
  return {pid, std::move(pidfd)};
}

WorkerProcess& WorkerProcess::operator=(WorkerProcess&& other) noexcept {
  if (this != &other) {
    KillAndReap();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

WorkerProcess::~WorkerProcess() {
  KillAndReap();
}

void WorkerProcess::SignalGroup(int signal) const {
  // The leader is not reaped yet, so its pid, which is the group's number, cannot belong to anybody
  // else.
  if (pid_ > 0) ::kill(-pid_, signal);
}

std::optional<ProcessExit> WorkerProcess::TryReap() {
  if (pid_ <= 0) return ProcessExit{};
  siginfo_t info{};
  const idtype_t by_pidfd = P_PIDFD;
  const int looked =
      ::waitid(by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG | WNOWAIT);
  if (looked != 0 && (errno == EINTR || errno == EAGAIN)) return std::nullopt;
  if (looked == 0 && info.si_pid == 0) return std::nullopt;  // still lives
  ProcessExit exit;
  if (looked == 0) {
    SignalGroup(SIGKILL);  // what it left behind in its group, while the number is still ours
    while (::waitid(by_pidfd, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0 &&
           errno == EINTR) {
    }
    exit.kind =
        info.si_code == CLD_EXITED ? ProcessExit::Kind::kExited : ProcessExit::Kind::kSignalled;
    exit.value = info.si_status;
  }
  // Otherwise (ECHILD) the host program reaped it, or ignores SIGCHLD: it has ended, nobody knows
  // how.
  pid_ = -1;
  pidfd_.Reset();
  return exit;
}

void WorkerProcess::KillAndReap() {
  if (pid_ <= 0) return;
  SignalGroup(SIGKILL);
  // A killed process ends at once unless the kernel holds it in an uninterruptible wait; a bounded
  // wait then leaves it to init.
  for (const Deadline deadline = Deadline::After(5 * kSecond); !TryReap() && !deadline.Passed();) {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    ::poll(&ended, 1, deadline.LeftForPoll());
  }
}

}  // namespace procpool
