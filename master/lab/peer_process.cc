#include "master/lab/peer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <procpool/error.h>
#include "common/os_error.h"
#include "common/quoted.h"
#include "master/worker_process.h"

namespace procpool {
namespace {

constexpr std::size_t kLongestLine = 65536;
constexpr Nanoseconds kGrace = 2 * kSecond;

/// posix_spawn's two objects, which have to be freed.
class SpawnPlan {
 public:
  SpawnPlan(int input, int output, int errors) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    ::sigfillset(&signals);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::sigemptyset(&signals);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }

  int Spawn(const std::vector<std::string>& command, pid_t& pid) const {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    return ::posix_spawnp(&pid, arguments.front(), &actions_, &attributes_, arguments.data(),
                          ::environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// Waits until one of `fds` has something to say, or the deadline.
template <std::size_t count>
void Poll(std::array<pollfd, count>& fds, Deadline deadline) {
  // An interrupted wait is as good as a short one: every caller looks and waits again.
  if (::poll(fds.data(), fds.size(), deadline.LeftForPoll()) < 0) {
    for (pollfd& fd : fds) fd.revents = 0;
  }
}

}  // namespace

PeerProcess::PeerProcess(const std::vector<std::string>& command) {
  const std::string object = "peer program " + Quoted(command.at(0));
  std::array<int, 2> ends{};
  // A socket, because writing to one whose reader is gone need not raise SIGPIPE.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ThrowErrno("make the input of", object, "raise the descriptor limit (ulimit -n)");
  }
  input_.Reset(ends[0]);
  const UniqueFd its_input(ends[1]);
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    ThrowErrno("make the output of", object, "raise the descriptor limit (ulimit -n)");
  }
  output_.Reset(ends[0]);
  const UniqueFd its_output(ends[1]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  errors_.Reset(::memfd_create("procpool-peer-errors", MFD_CLOEXEC));
  if (!errors_) ThrowErrno("make the error output of", object);

  const SpawnPlan plan(its_input.get(), its_output.get(), errors_.get());
  if (const int reason = plan.Spawn(command, pid_); reason != 0) {
    pid_ = -1;
    const std::string cause = ErrnoText(reason);
    const bool machine = reason == EAGAIN || reason == ENOMEM;
    throw Error(machine ? Blame::kMachine : Blame::kUser,
                {"start", object, cause, machine ? "" : "install it or leave this peer out"});
  }
  pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const int reason = errno;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    errno = reason;
    ThrowErrno("watch", object, "raise the descriptor limit (ulimit -n)");
  }
}

PeerProcess::~PeerProcess() {
  if (pid_ <= 0) return;
  input_.Reset();
  ::kill(-pid_, SIGTERM);
  ::kill(-pid_, SIGCONT);  // a stopped process would not see it
  if (WaitForEnd(Deadline::After(kGrace))) return;
  ::kill(-pid_, SIGKILL);
  WaitForEnd(Deadline::After(kGrace));
}

PeerProcess::Said PeerProcess::ReadLine(std::string& line, Deadline deadline) {
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return Said::kLine;
    }
    if (unread_.size() > kLongestLine) return Said::kTooLong;
    std::array<char, 4096> piece;
    const ssize_t got = ::read(output_.get(), piece.data(), piece.size());
    if (got > 0) {
      unread_.append(piece.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0) return Said::kEnd;
    if (errno != EAGAIN && errno != EINTR) return Said::kEnd;
    // What it started may hold its output open after its death, so the output's end is not waited
    // for once it is dead: nothing more is due then.
    if (pid_ <= 0) return Said::kEnd;
    if (deadline.Passed()) return Said::kSilence;
    std::array<pollfd, 2> fds{{{output_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}}};
    Poll(fds, deadline);
    if (fds[0].revents == 0 && fds[1].revents != 0) TryReap();
  }
}

bool PeerProcess::WriteLine(std::string_view line, Deadline deadline) {
  std::string text(line);
  text.push_back('\n');
  for (std::size_t sent = 0; sent < text.size();) {
    if (!input_) return false;
    const ssize_t put =
        ::send(input_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      sent += static_cast<std::size_t>(put);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return false;
    if (deadline.Passed()) return false;
    std::array<pollfd, 1> fds{{{input_.get(), POLLOUT, 0}}};
    Poll(fds, deadline);
  }
  return true;
}

bool PeerProcess::WaitForEnd(Deadline deadline) {
  while (!TryReap()) {
    if (deadline.Passed()) return false;
    std::array<pollfd, 1> fds{{{pidfd_.get(), POLLIN, 0}}};
    Poll(fds, deadline);
  }
  return true;
}

bool PeerProcess::TryReap() {
  if (pid_ <= 0) return true;
  const auto id = static_cast<id_t>(pidfd_.get());
  siginfo_t info{};
  const int looked = ::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG | WNOWAIT);
  if (looked != 0 && errno == EINTR) return false;
  if (looked == 0 && info.si_pid == 0) return false;
  ProcessExit exit;
  if (looked == 0) {
    // What it left behind in its group, while the group's number is still its own.
    ::kill(-pid_, SIGKILL);
    ::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG);
    exit.kind =
        info.si_code == CLD_EXITED ? ProcessExit::Kind::kExited : ProcessExit::Kind::kSignalled;
    exit.value = info.si_status;
  }
  end_ = exit.Text();
  pid_ = -1;
  return true;
}

std::string PeerProcess::LastError() const {
  struct stat state {};
  if (::fstat(errors_.get(), &state) != 0) return {};
  std::array<char, 2048> tail;
  const off_t from = std::max<off_t>(0, state.st_size - static_cast<off_t>(tail.size()));
  const ssize_t got = ::pread(errors_.get(), tail.data(), tail.size(), from);
  std::string text(tail.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  text.erase(text.find_last_not_of("\r\n \t") + 1);
  return OneLine(text.substr(text.find_last_of('\n') + 1));
}

}  // namespace procpool
