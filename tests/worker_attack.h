// Somebody from outside who kills and stops workers of this process at random, on a thread of its
// own.
//
// Promise: signals reach children of this process only, whatever became of their numbers.
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace procpool {

/// False: there is no such child (any more).
inline bool SignalChild(pid_t pid, int signal) {
  // The descriptor keeps naming the process that is looked at, also if its number goes to another.
  // Closed by system call as it is opened: the thread sanitizer sees close() only, and would take
  // it for the end of a descriptor that another thread had by this number before.
  const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return false;
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  pid_t parent = -1;
  for (std::string word; status >> word;) {
    if (word == "PPid:") {
      status >> parent;
      break;
    }
  }
  const bool sent =
      parent == ::getpid() && ::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0) == 0;
  ::syscall(SYS_close, process);
  return sent;
}

class WorkerAttack {
 public:
  struct Options {
    unsigned seed = 1;
    std::chrono::microseconds longest_pause{4000};         ///< between two signals
    unsigned most = std::numeric_limits<unsigned>::max();  ///< signals; then it is over
    unsigned stop_one_in = 0;                              ///< every so manieth is SIGSTOP; 0: none
    std::function<std::vector<pid_t>()> victims;           ///< may throw: then nobody is hit
  };

  explicit WorkerAttack(Options options)
      : options_(std::move(options)), random_(options_.seed), thread_([this] { Run(); }) {}
  ~WorkerAttack() { End(); }
  WorkerAttack(const WorkerAttack&) = delete;
  WorkerAttack& operator=(const WorkerAttack&) = delete;

  void End() {
    end_ = true;
    if (thread_.joinable()) thread_.join();
  }
  unsigned killed() const { return killed_; }
  unsigned stopped() const { return stopped_; }

 private:
  void Run() {
    const auto longest = static_cast<unsigned>(options_.longest_pause.count());
    while (!end_ && killed_ + stopped_ < options_.most) {
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % longest));
      try {
        const std::vector<pid_t> victims = options_.victims();
        if (victims.empty()) continue;
        const pid_t victim = victims[random_() % victims.size()];
        const bool stop = options_.stop_one_in != 0 && random_() % options_.stop_one_in == 0;
        if (SignalChild(victim, stop ? SIGSTOP : SIGKILL)) ++(stop ? stopped_ : killed_);
      } catch (const std::exception&) {
        // The pool has just ended.
      }
    }
  }

  Options options_;
  std::mt19937 random_;
  std::atomic<bool> end_{false};
  std::atomic<unsigned> killed_{0};
  std::atomic<unsigned> stopped_{0};
  std::thread thread_;
};

}  // namespace procpool
