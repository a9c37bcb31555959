// A thread, and a process by fork alone: without exec there is no other program, so each runs a
// small echo over two pipes: a byte when it is ready, each byte back, until it is told to leave.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include <procpool/error.h>
#include "common/os_error.h"
#include "master/lab/spawn_contenders.h"

namespace procpool {
namespace {

constexpr char kReadyByte = 'R';
constexpr char kQuitByte = 'Q';
constexpr char kItemByte = 'i';

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      ThrowErrno("create", "pipe", "raise the descriptor limit (ulimit -n)");
    }
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
  }
  UniqueFd read_end, write_end;
};

// System calls only: it also runs after a fork of a process with many threads.
void Echo(int in, int out, volatile Nanoseconds* main_reached) {
  *main_reached = Now();
  for (char byte = kReadyByte; byte != kQuitByte;) {
    if (::write(out, &byte, 1) != 1) return;
    ssize_t got = 0;
    do {
      got = ::read(in, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got != 1) return;
  }
}

// What both have in common; how they begin and end differs.
class EchoLife : public SpawnLife {
 public:
  explicit EchoLife(MainPage& page) : main_reached_(page.at(page.Take())) {}

  void AwaitReady(Deadline deadline) override {
    Await(kReadyByte, deadline);
    times_[SpawnPoint::kReady] = Now();
    times_[SpawnPoint::kMain] = *main_reached_;
  }
  void AwaitResult(Deadline deadline) override {
    Tell(kItemByte);
    Await(kItemByte, deadline);
    times_[SpawnPoint::kResult] = Now();
  }
  void AskToEnd() override {
    Tell(kQuitByte);
    times_[SpawnPoint::kAsked] = Now();
  }

 protected:
  [[noreturn]] static void Fail(std::string_view cause) {
    throw Error(Blame::kMachine, {"run", "echo", cause, ""});
  }
  void Tell(char byte) const { static_cast<void>(!::write(to_child_.write_end.get(), &byte, 1)); }
  void Await(char expected, Deadline deadline) const {
    for (;;) {
      pollfd readable{from_child_.read_end.get(), POLLIN, 0};
      if (::poll(&readable, 1, deadline.LeftForPoll()) > 0) break;
      if (deadline.Passed()) Fail("it is silent");
    }
    char byte = 0;
    if (::read(from_child_.read_end.get(), &byte, 1) != 1 || byte != expected) {
      Fail("it does not answer as it should");
    }
  }

  volatile Nanoseconds* main_reached_;
  Pipe to_child_, from_child_;
};

class ThreadLife final : public EchoLife {
 public:
  explicit ThreadLife(MainPage& page, Nanoseconds begun) : EchoLife(page) {
    times_[SpawnPoint::kBegun] = begun;
    times_[SpawnPoint::kCalled] = Now();
    thread_ =
        std::thread(Echo, to_child_.read_end.get(), from_child_.write_end.get(), main_reached_);
    times_[SpawnPoint::kReturned] = Now();
  }
  ~ThreadLife() override {
    if (!thread_.joinable()) return;
    Tell(kQuitByte);
    thread_.join();
  }
  void AwaitEnd(Deadline /*deadline*/) override {
    thread_.join();
    times_[SpawnPoint::kReaped] = Now();
  }

 private:
  std::thread thread_;
};

class ForkLife final : public EchoLife {
 public:
  explicit ForkLife(MainPage& page, Nanoseconds begun) : EchoLife(page) {
    const pid_t master = ::getpid();
    times_[SpawnPoint::kBegun] = begun;
    times_[SpawnPoint::kCalled] = Now();
    const pid_t pid = ::fork();
    if (pid < 0) ThrowErrno("fork", "the master", "use fewer processes or a smaller parent");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() == master) {
        Echo(to_child_.read_end.get(), from_child_.write_end.get(), main_reached_);
      }
      ::_exit(0);
    }
    times_[SpawnPoint::kReturned] = Now();
    ::setpgid(pid, pid);
    process_.emplace(WorkerProcess::Adopt(pid));
  }
  void AwaitEnd(Deadline deadline) override {
    pollfd ended{process_->pidfd(), POLLIN, 0};
    while (::poll(&ended, 1, deadline.LeftForPoll()) <= 0) {
      if (deadline.Passed()) Fail("it does not end");
    }
    times_[SpawnPoint::kEnded] = Now();
    if (!process_->TryReap()) Fail("it cannot be reaped");
    times_[SpawnPoint::kReaped] = Now();
  }

 private:
  std::optional<WorkerProcess> process_;
};

template <typename Life>
class EchoContender final : public SpawnContender {
 public:
  explicit EchoContender(std::string_view name)
      : SpawnContender(std::string(name), std::string(kEcho)) {}
  std::unique_ptr<SpawnLife> Start() override { return std::make_unique<Life>(page_, Now()); }

 private:
  MainPage page_;
};

}  // namespace

std::unique_ptr<SpawnContender> MakeThreadContender() {
  return std::make_unique<EchoContender<ThreadLife>>(kThreadMethod);
}

std::unique_ptr<SpawnContender> MakeForkContender() {
  return std::make_unique<EchoContender<ForkLife>>(kForkMethod);
}

}  // namespace procpool
