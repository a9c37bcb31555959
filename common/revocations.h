// Which items the master has taken back from a worker that had not begun them, in memory both sides
// see. A worker always has an item to go on with, so that it need not wait for the next; if the one
// before takes long, another worker shall have it, and a cancelled call shall not run at all.
//
// Items are known by their number: how many the process was given so far, from 1 on; it takes them
// in that order.
//
// Why it is safe: the worker says which item it begins and then looks whether it was taken back;
// the master takes it back and then looks whether it was begun. All of these are sequentially
// consistent, so at least one sees the other. If both do, the exchange of the entry decides: the
// worker makes it 0 and leaves the item out, or the master makes it 0 and leaves the item to it.
//
// A worker that has run wild can deny that it begins an item; its answer is then one to an item
// that it does not have, for which it is killed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace procpool {

/// Lies in zero-filled shared memory.
class Revocations {
 public:
  /// The master: the item will not be begun. False: it has been, or one that was taken back long
  /// before has not been left out yet and has its entry.
  bool Revoke(std::uint64_t number) {
    std::atomic<std::uint64_t>& entry = entries_[number % kEntries];
    if (entry.load() != 0) return false;
    entry.store(number);
    if (begun_.load() < number) return true;
    std::uint64_t expected = number;
    return !entry.compare_exchange_strong(expected, 0);
  }

  /// The worker: whether it has the item that it is about to begin.
  bool Begin(std::uint64_t number) {
    begun_.store(number);
    std::atomic<std::uint64_t>& entry = entries_[number % kEntries];
    std::uint64_t expected = number;
    return entry.load() != number || !entry.compare_exchange_strong(expected, 0);
  }

 private:
  // More than a worker is ever given at once (JobRun's credit), and one page with the mark.
  static constexpr std::size_t kEntries = 448;

  std::atomic<std::uint64_t> begun_;
  std::array<std::atomic<std::uint64_t>, kEntries>
      entries_;  // each for the numbers that fall to it
};

}  // namespace procpool
