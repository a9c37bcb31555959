// The dispatch: gives the items of a job to workers until every one is answered. Pure logic over
// `Workers`, so tests run it with workers that are no processes.
//
// The main loop (Run):
//
//   1  Give out: each worker that can take more gets items, as far as its credit goes.
//
//   2  Wait until something happens: a result, a failure, a death, a deadline, a wish to stop.
//
//   3  Act on what happened (the On… functions); kill workers whose oldest item is overdue.
//
// until the ledger is finished, or the job was interrupted and nothing is outstanding, or it cannot
// go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "master/budget.h"
#include "master/job.h"
#include "master/ledger.h"
#include "master/workers.h"

namespace procpool {

struct JobOptions {
  Nanoseconds timeout = 0;   ///< for an item, from when it is its worker's oldest; 0: none
  unsigned most_deaths = 3;  ///< an item that has killed so many workers is given up
  std::uint64_t most_items_per_worker = 0;  ///< a worker is replaced after so many; 0: never
  Nanoseconds accounted_from = 0;  ///< where the budget of a timed job begins; 0: with the job
};

struct GivenUpItem {
  std::uint64_t item = 0;
  std::string reason;
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

struct JobReport {
  enum class Status { kDone, kFailed, kInterrupted };
  Status status = Status::kDone;
  std::string error;          ///< why it failed; empty otherwise
  bool all_answered = false;  ///< every item is done or given up
  std::vector<GivenUpItem> given_up;
  std::vector<std::string> warnings;
  std::uint64_t retries = 0;  ///< items that were given out again
  std::uint64_t deaths = 0;   ///< workers that died without being asked to
  std::uint64_t items_done = 0;
  Nanoseconds waiting = 0;  ///< wall time in step 2 with nothing to do but wait and receive
  Nanoseconds begun = 0;
  Nanoseconds finished = 0;
  std::optional<Budget> budget{};  ///< of a timed job
  Traffic traffic;                 ///< through the channels, in both directions
};

class Dispatch final : private WorkerEvents {
 public:
  /// `items_done`, if given, counts along for other threads to read.
  Dispatch(Workers& workers, Job& job, JobOptions options,
           std::atomic<std::uint64_t>* items_done = nullptr);

  JobReport Run();

  // To be called on the loop's thread while Run() is waiting.
  /// Nothing more is given out; what is outstanding is still taken in.
  void Interrupt() { interrupted_ = true; }
  /// Ends now, whatever is outstanding.
  void Abort() { interrupted_ = aborted_ = true; }
  /// The workers were stopped, or go on after so long; in between no deadline passes.
  void Suspend() { suspended_ = true; }
  void Resume(Nanoseconds stopped);

  std::uint64_t done() const { return ledger_.done(); }
  const std::vector<WorkerTally>& tallies() const { return tallies_; }

 private:
  struct Credit {
    double service_ns = 0;  // moving average of the time between answers
    Nanoseconds last_answer = 0;
    Nanoseconds oldest_since = 0;
    bool tally_open = false;
    std::size_t tally = 0;                                      // index in tallies_
    std::deque<std::pair<std::uint64_t, SentStamps>> stamps{};  // of unanswered items, if timed
  };

  void OnReady(std::size_t worker) override;
  void OnSent(std::size_t worker) override;
  std::optional<std::span<std::byte>> PlaceFor(std::size_t worker,
                                               const FrameHeader& header) override;
  bool OnResult(std::size_t worker, const Frame& frame) override;
  bool OnFailed(std::size_t worker, const GivenItem& given, const std::string& type,
                const std::string& text) override;
  void OnGone(std::size_t worker, const Departure& departure) override;
  void OnSlotLost(std::size_t worker, const std::string& error) override;

  class EndOfJob {
   public:
    explicit EndOfJob(Dispatch& dispatch) : dispatch_(dispatch) {}
    ~EndOfJob();
    EndOfJob(const EndOfJob&) = delete;
    EndOfJob& operator=(const EndOfJob&) = delete;

   private:
    Dispatch& dispatch_;
  };

  void Loop();
  void GiveOut();
  bool GiveOne(std::size_t worker);
  std::size_t CreditOf(std::size_t worker) const;
  bool GiveTimed(std::size_t worker, const GivenItem& given);
  void Account(std::size_t worker, const Frame& frame, const TakenStamps& taken);
  MasterTimes TimesOfMaster() const;
  void Answered(std::size_t worker);
  void GiveUp(std::uint64_t item, std::string reason);
  void CheckDeadlines();
  Deadline NextDeadline() const;
  bool Finished();
  void Fail(std::string error);
  void FailStart(const Departure& departure);
  void Warn(std::string warning);
  WorkerTally& Tally(std::size_t worker);

  Workers& workers_;
  Job& job_;
  JobOptions options_;
  std::atomic<std::uint64_t>* items_done_;
  Ledger ledger_;
  std::vector<Credit> credits_;
  std::vector<WorkerTally> tallies_;
  JobReport report_;
  std::optional<BudgetKeeper> keeper_;  // if the job is timed
  MasterTimes master_;
  Nanoseconds cpu_begun_ = 0;
  unsigned start_failures_ = 0;         // in a row, without any worker becoming ready
  std::uint64_t fruitless_deaths_ = 0;  // in a row, without any item being answered
  unsigned rechecks_ = 0;
  bool any_ready_ = false;
  bool suspended_ = false;
  bool interrupted_ = false;
  bool aborted_ = false;
};

}  // namespace procpool
