// How often workers that died may be replaced: a limit on deaths within a sliding window of time.
// Pure: the time is told.
#pragma once

#include <cstdint>
#include <deque>

#include "common/clock.h"

namespace procpool {

class RestartLimit {
 public:
  static constexpr std::uint64_t kMost = 1000;
  static constexpr Nanoseconds kWindow = 10 * kSecond;

  /// At most `most` deaths within `window`. A window of 0: any number.
  explicit RestartLimit(std::uint64_t most = kMost, Nanoseconds window = kWindow)
      : most_(most), window_(window) {}

  /// A worker died now. False: those within the window are too many.
  bool Allows(Nanoseconds now) {
    deaths_.push_back(now);
    while (!deaths_.empty() && now - deaths_.front() >= window_) deaths_.pop_front();
    if (deaths_.size() <= most_) return true;
    deaths_.pop_front();  // the newest alone tell what comes next
    return false;
  }
  /// Those before count no more.
  void Forget() { deaths_.clear(); }

  std::uint64_t most() const { return most_; }
  Nanoseconds window() const { return window_; }

 private:
  std::uint64_t most_;
  Nanoseconds window_;
  std::deque<Nanoseconds> deaths_;  // within the window, oldest first; at most `most_`
};

}  // namespace procpool
