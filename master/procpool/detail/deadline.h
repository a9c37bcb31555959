// Points in time, from durations as callers give them.
#pragma once

#include <chrono>

namespace procpool::detail {

/// So long from now; never, if that is beyond what the clock can say.
template <typename Rep, typename Period>
std::chrono::steady_clock::time_point DeadlineAfter(std::chrono::duration<Rep, Period> time) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;  // of these there is one for every duration
  const Clock::time_point now = Clock::now();
  if (Seconds(time) <= Seconds(0)) return now;
  if (Seconds(time) >= Seconds(Clock::time_point::max() - now)) return Clock::time_point::max();
  return now + std::chrono::ceil<Clock::duration>(time);
}

}  // namespace procpool::detail
