// How long the next try waits after failures in a row: not at all after the first, which may have
// been an accident, then 10 ms, 20 ms, 40 ms …, and at most 1 s.
#pragma once

#include <algorithm>

#include "common/clock.h"

namespace procpool {

constexpr Nanoseconds BackOff(unsigned failures) {
  constexpr Nanoseconds kShortest = 10 * kMillisecond;
  constexpr Nanoseconds kLongest = kSecond;
  constexpr unsigned kMostDoublings = 10;  // far beyond the longest
  if (failures < 2) return 0;
  return std::min(kShortest << std::min(failures - 2, kMostDoublings), kLongest);
}

}  // namespace procpool
