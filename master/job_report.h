// What a job was asked to heed, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/channel.h"
#include "common/clock.h"
#include "master/budget.h"
#include "master/job.h"

namespace procpool {

struct JobOptions {
  /// For an item, from when it is its worker's oldest, and if it has steps for each of them; 0:
  /// none.
  Nanoseconds timeout = 0;
  unsigned most_deaths = 3;                 ///< an item that has killed so many workers is given up
  std::uint64_t most_tasks_per_worker = 0;  ///< a worker is replaced after so many; 0: never
  bool endless = false;            ///< items that are past are forgotten; they are never rechecked
  bool quiet_failures = false;     ///< who gave the job hears of each failure: none is logged
  bool budgeted = true;            ///< the report of a timed job accounts for all its time
  Nanoseconds accounted_from = 0;  ///< where the budget of a timed job begins; 0: with the job
};

/// What a worker did in a job. One for each process, so a replaced worker has one of its own.
struct WorkerTally {
  std::size_t slot = 0;
  std::size_t record = 0;  ///< which process: Workers::record()
  std::uint64_t items = 0;
  Nanoseconds compute = 0;
  Nanoseconds compute_cpu = 0;
  Nanoseconds sending = 0;
};

/// A worker died over an item, which was given out again.
struct Recovery {
  std::size_t record = 0;  ///< which process died
  std::uint64_t item = 0;
  std::uint32_t attempt = 0;    ///< that was lost
  Nanoseconds seen = 0;         ///< when the death was known here
  Nanoseconds given_again = 0;  ///< 0: it was not
};

struct JobReport {
  enum class Status { kDone, kFailed, kInterrupted };
  Status status = Status::kDone;
  std::string error;          ///< why it failed; empty otherwise
  bool all_answered = false;  ///< every item is done or given up
  std::vector<GivenUpItem> given_up;
  std::vector<std::string> warnings;
  std::uint64_t retries = 0;   ///< items that were given out again
  std::uint64_t deaths = 0;    ///< workers that died without being asked to
  std::uint64_t attempts = 0;  ///< items that were given out, those given again counted again
  std::uint64_t refused = 0;   ///< answers to what the worker did not have, or had no more
  std::vector<Recovery> recoveries;
  std::uint64_t items_done = 0;
  Nanoseconds waiting = 0;  ///< wall time in which there was nothing to do but wait and receive
  Nanoseconds begun = 0;
  Nanoseconds finished = 0;
  std::optional<Budget> budget{};  ///< of a timed job
  Traffic traffic;                 ///< through all channels while it ran, in both directions
  std::vector<WorkerTally> tallies;
};

}  // namespace procpool
