// What a pool's workers did with their time. Worked out if PoolOptions::statistics asks for it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <procpool/detail/export.h>

namespace procpool {

/// One worker process, also after it is gone. The five parts add up to `lived`.
struct WorkerStatistics {
  /// How long something took.
  using Time = std::chrono::nanoseconds;

  std::size_t slot = 0;      ///< its place in the pool, which a replacement takes over
  pid_t pid = -1;            ///< its process
  std::uint64_t chunks = 0;  ///< chunks and calls that it answered
  std::uint64_t calls = 0;   ///< calls in them
  Time lived{0};             ///< from when its process began to be made
  Time start{0};             ///< until it was ready, but for the initializer
  Time init{0};              ///< in the initializer
  Time work{0};              ///< in tasks, with reading arguments and writing results
  Time wait{0};              ///< ready, and not in a task
  Time exit{0};     ///< from when it was told to leave until it was reaped, but for that work
  std::string end;  ///< how it ended, "exited with code 0"; empty while it lives

  /// One of the five parts as a part of `lived`, from 0 to 1.
  double share(Time part) const {
    return lived.count() == 0
               ? 0
               : static_cast<double>(part.count()) / static_cast<double>(lived.count());
  }
};

/// A chunk that took long.
struct SlowTask {
  std::string task;                  ///< its name
  std::uint64_t first_call = 0;      ///< which calls of the range that was mapped
  std::uint64_t calls = 0;           ///< how many
  std::chrono::nanoseconds work{0};  ///< in the task
  pid_t worker = -1;                 ///< process that had it
};

/// Of all workers of a pool, those that are gone among them.
struct PoolStatistics {
  std::vector<WorkerStatistics> workers;  ///< in the order in which they were made
  std::vector<SlowTask> slowest;          ///< up to ten, the slowest first
  /// As a table that fits a terminal.
  PROCPOOL_EXPORT std::string text() const;
};

}  // namespace procpool
