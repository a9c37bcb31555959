// One thread of a round over the library: it calls a pool at random and looks at what comes back.
//
// What may come back of a call follows from its number (DeedOf) and its options; deaths, timeouts
// and the pool's end may also come from outside.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <vector>

#include <procpool/pool.h>
#include "tests/soak/tally.h"

namespace procpool::soak {

class Caller {
 public:
  /// is_ending: set before the pool is terminated.
  Caller(Pool& pool, const std::atomic<bool>& is_ending, Tally& tally, unsigned seed)
      : pool_(pool), is_ending_(is_ending), tally_(tally), random_(seed) {}

  /// Until so many steps are done or the pool takes no more.
  void Run(int steps);

 private:
  unsigned Pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  int Number() { return static_cast<int>(random_() % 1'000'000); }
  std::vector<int> Numbers(unsigned most);

  void Step();
  void SingleCalls(const Calls& calls);
  void Map(const Calls& calls);
  void Stream(const Calls& calls);
  void LongValues(const Calls& calls);
  void Arrays(const Calls& calls);

  /// Whether it ended with a value. An error must be one that a call can have.
  template <typename Take>
  bool Took(const Take& take, bool was_cancelled = false);

  Pool& pool_;
  const std::atomic<bool>& is_ending_;
  Tally& tally_;
  std::mt19937 random_;
};

}  // namespace procpool::soak
