// The budget: where the workers' time went, and what each item went through on its way.
//
// Two views of one set of time stamps, all on one clock (CLOCK_MONOTONIC):
//
// - The budget proper divides workers × wall. Each worker's line of time, from the beginning of the
//   job to its end, is cut where its items' stamps lie; each piece goes to one part. The parts and
//   the residual (what lies between two stamps that mean nothing together) add up to workers ×
//   wall. While a worker waits, its piece goes to what its next item was going through in the
//   master just then: being encoded, being sent, being woken for; else to what the master did with
//   its last result; else it idled.
//
// - The journey is what one item saw: how long each stage took it, waiting in the worker's queue
//   included. Stages of items overlap, so these do not add up to anything.
//
// Fed by the dispatch; pure. A worker's stamps are not believed: what lies outside the time that
// passed is cut off, so a lie distorts that worker's line and nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/wire.h"

namespace procpool {

enum class BudgetPart : std::uint8_t {
  kSpawn,            ///< the worker was being made, or replaced as asked
  kEncode,           ///< waiting while the master wrote this worker's next input
  kSend,             ///< waiting while the master sent it
  kWakeUp,           ///< from sent until its head was here
  kReceive,          ///< taking the input in and hashing it
  kDecode,           ///< making sense of it
  kComputeRunning,   ///< in the task, on a CPU
  kComputeQueueing,  ///< in the task, waiting for a CPU
  kResultEncode,     ///< giving the result the form in which it travels
  kResultSend,       ///< hashing it, handing it to the channel, waiting for room
  kResultReceive,    ///< waiting while the master took this worker's result in
  kPlacing,          ///< waiting while the master put it in its place, decoding included
  kChecksum,         ///< the final pass over the grid; all workers wait
  kIdle,             ///< nothing to do, or the master was busy with others
  kLost,             ///< work of a worker that died
  kResidual,         ///< left unexplained
};
inline constexpr std::size_t kBudgetParts = 16;
/// "compute, running"; keys are the same in snake_case: "compute_running".
std::string_view BudgetPartName(BudgetPart part);
std::string_view BudgetPartKey(BudgetPart part);

using BudgetLine = std::array<Nanoseconds, kBudgetParts>;

enum class JourneyStage : std::uint8_t {
  kEncode,   ///< in the master
  kPost,     ///< framing, hashing, queueing in the channel
  kSend,     ///< until the transport had taken all of it
  kQueue,    ///< behind other items of its worker
  kWakeUp,   ///< the worker was free, and took so long to see it
  kReceive,  ///< until all of it was in the worker, hashed
  kDecode,
  kComputeRunning,
  kComputeQueueing,
  kResultEncode,
  kResultSend,     ///< sending of the pieces before the last one
  kResultTransit,  ///< from the end of the task until the master saw the (last) result's head
  kResultReceive,  ///< until all of it was in the master, hashed
  kResultDecode,
  kPlacing,
  kTotal,  ///< from the beginning of encoding until it is placed
};
inline constexpr std::size_t kJourneyStages = 16;
std::string_view JourneyStageKey(JourneyStage stage);
std::string_view JourneyStageName(JourneyStage stage);

using Journey = std::array<Nanoseconds, kJourneyStages>;

/// What happened to one item in the master before its result came.
struct SentStamps {
  Nanoseconds begun = 0;  ///< encoding began
  Nanoseconds encoded = 0;
  Nanoseconds posted = 0;
  Nanoseconds sent = 0;  ///< 0: not known to have left yet
  std::uint64_t item = 0;
};

/// And after.
struct TakenStamps {
  Nanoseconds arrived = 0;   ///< the result's head was here
  Nanoseconds received = 0;  ///< all of it, hashed
  Nanoseconds placed = 0;
  Nanoseconds decode = 0;  ///< of `placed - received`
};

/// Wall time of the master's loop, and its CPU time.
struct MasterTimes {
  Nanoseconds encode = 0;
  Nanoseconds post = 0;
  Nanoseconds send = 0;
  Nanoseconds spawn = 0;
  Nanoseconds receive =
      0;  ///< reading and hashing results, their decoding and placing not included
  Nanoseconds decode = 0;
  Nanoseconds placing = 0;
  Nanoseconds checksum = 0;
  Nanoseconds asleep = 0;
  Nanoseconds cpu = 0;  ///< of the loop's thread
};

struct Budget {
  Nanoseconds begun = 0;
  Nanoseconds finished = 0;
  std::vector<BudgetLine> lines;  ///< one for each worker slot
  MasterTimes master;
  std::uint64_t items = 0;
  std::vector<Journey> journeys;             ///< of the first kMostJourneys items
  std::vector<std::uint64_t> journey_items;  ///< which item each of them is

  Nanoseconds Wall() const { return finished - begun; }
  /// What follows until `now`, in which nobody worked on the job, is left unexplained.
  void ExtendTo(Nanoseconds now);
  BudgetLine Total() const;
};
inline constexpr std::size_t kMostJourneys = std::size_t{1} << 16;

class BudgetKeeper {
 public:
  /// Worker lines begin at `begun`.
  BudgetKeeper(std::size_t workers, Nanoseconds begun);
  /// Another worker; its line begins with the others'.
  void AddSlot();

  /// A result is in its place. Returns what is believed of the worker's stamps.
  ResultAnnex Took(std::size_t worker, const SentStamps& sent, const ResultAnnex& times,
                   const TakenStamps& taken);
  /// Worker became ready at `now`, which may lie before the beginning.
  void Ready(std::size_t worker, Nanoseconds now);
  /// Its process is gone. as_told: what follows is the cost of replacing it, else its last work is
  /// lost.
  void Gone(std::size_t worker, Nanoseconds now, bool as_told);
  void Checksum(Nanoseconds begun, Nanoseconds finished);

  /// The job has ended; to be called once.
  Budget Finish(Nanoseconds now, const MasterTimes& master);

 private:
  struct Line {
    Nanoseconds cursor = 0;  // up to here all is explained
    bool fresh = true;       // no item of this process is in yet
    bool is_ready = false;
    Nanoseconds ready = 0;
    TakenStamps last{};  // of its last result
  };

  void Spend(std::size_t worker, BudgetPart part, Nanoseconds until);
  void SpendWaiting(std::size_t worker, Nanoseconds until, const SentStamps& sent);

  Budget budget_;
  std::vector<Line> lines_;
};

}  // namespace procpool
