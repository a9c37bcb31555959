// Which faults a worker has committed because it was asked to (fault_plan.h), in memory that the
// master can still read when the worker is dead. A hint, like the mark beside it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/clock.h"
#include "common/fault_plan.h"

namespace procpool {

/// Lies in zero-filled shared memory.
class FaultTally {
 public:
  struct Value {
    std::array<std::uint64_t, kMostFaultRules> counts{};  ///< by rule
    Nanoseconds last = 0;                                 ///< when the last one was; 0: none was
    std::size_t last_rule = 0;

    bool Any() const { return last != 0; }
  };

  /// To be called just before the fault is committed: there may be no afterwards.
  void Count(std::size_t rule) {
    counts_[rule].fetch_add(1, std::memory_order_relaxed);
    last_rule_.store(rule, std::memory_order_relaxed);
    last_.store(Now(), std::memory_order_release);
  }
  std::uint64_t count(std::size_t rule) const {
    return counts_[rule].load(std::memory_order_relaxed);
  }

  Value Read() const {
    Value value;
    value.last = last_.load(std::memory_order_acquire);
    value.last_rule =
        std::min<std::size_t>(last_rule_.load(std::memory_order_relaxed), kMostFaultRules - 1);
    for (std::size_t rule = 0; rule < kMostFaultRules; ++rule) value.counts[rule] = count(rule);
    return value;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kMostFaultRules> counts_;
  std::atomic<std::uint64_t> last_rule_;
  std::atomic<std::int64_t> last_;
};

}  // namespace procpool
