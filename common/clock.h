// The one clock of the project: CLOCK_MONOTONIC, the same in every process of the machine.
//
// Promise: times are nanoseconds since boot as int64; differences between processes are meaningful.
#pragma once

#include <cstdint>
#include <ctime>

namespace procpool {

using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds kMicrosecond = 1'000;
inline constexpr Nanoseconds kMillisecond = 1'000'000;
inline constexpr Nanoseconds kSecond = 1'000'000'000;

inline Nanoseconds ReadClock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

/// About 30 ns a call.
inline Nanoseconds Now() {
  return ReadClock(CLOCK_MONOTONIC);
}

/// CPU time of the calling thread; about 250 ns a call, so not for every tiny task.
inline Nanoseconds ThreadCpuTime() {
  return ReadClock(CLOCK_THREAD_CPUTIME_ID);
}

/// A point in time until which a blocking call may wait. There is no "for ever": kFar is about a
/// day.
class Deadline {
 public:
  static Deadline After(Nanoseconds duration) { return Deadline(Now() + duration); }
  static Deadline At(Nanoseconds time) { return Deadline(time); }
  static Deadline Far() { return After(86'400 * kSecond); }

  Nanoseconds time() const { return time_; }
  bool operator<(const Deadline& other) const { return time_ < other.time_; }
  Nanoseconds Left() const { return time_ - Now(); }
  bool Passed() const { return Left() <= 0; }
  /// For poll(): milliseconds left, rounded up so that a wait never ends early; 0 when passed.
  int LeftForPoll() const {
    const Nanoseconds left = Left();
    if (left <= 0) return 0;
    const Nanoseconds milliseconds = (left + kMillisecond - 1) / kMillisecond;
    return milliseconds > 1'000'000'000 ? 1'000'000'000 : static_cast<int>(milliseconds);
  }

 private:
  explicit Deadline(Nanoseconds time) : time_(time) {}
  Nanoseconds time_;
};

inline double Seconds(Nanoseconds duration) {
  return static_cast<double>(duration) * 1e-9;
}

}  // namespace procpool
