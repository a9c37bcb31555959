// Ends the program with words and an abort if something takes too long: a hang is a failure that
// says where it is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace procpool {

class Watchdog {
 public:
  /// `what` is at work, and is to be done before its end by this time.
  Watchdog(std::chrono::seconds longest, std::string what)
      : what_(std::move(what)), thread_([this, longest] { Watch(longest); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// What it is at by now.
  void Now(std::string what) {
    const std::lock_guard lock(mutex_);
    what_ = std::move(what);
  }

 private:
  void Watch(std::chrono::seconds longest) {
    std::unique_lock lock(mutex_);
    // The system's clock, not the steady one: thread sanitizer does not know the call behind the
    // latter.
    const auto until = std::chrono::system_clock::now() + longest;
    if (changed_.wait_until(lock, until, [this] { return done_; })) return;
    std::fprintf(stderr, "HANGS: %s takes longer than %lld s\n", what_.c_str(),
                 static_cast<long long>(longest.count()));
    std::abort();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::string what_;
  std::thread thread_;
};

}  // namespace procpool
