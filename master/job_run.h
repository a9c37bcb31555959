// A job in progress: its items, its credit with each worker, its report and its budget. The
// dispatch runs many side by side and tells each what concerns it; a job run never acts on another.
//
// What it calls of the Job may throw; the dispatch then ends this job and goes on with the others.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "master/job.h"
#include "master/job_report.h"
#include "master/ledger.h"
#include "master/workers.h"

namespace procpool {

class JobRun {
 public:
  JobRun(std::uint32_t id, Workers& workers, Job& job, const JobOptions& options,
         std::atomic<std::uint64_t>* items_done);
  ~JobRun();
  JobRun(const JobRun&) = delete;
  JobRun& operator=(const JobRun&) = delete;

  std::uint32_t id() const { return ticket_.id; }
  bool timed() const { return ticket_.timed; }
  const JobOptions& options() const { return options_; }
  const JobReport& report() const { return report_; }

  // ---- giving
  /// Whether an item waits that this worker could have now.
  bool Wants(std::size_t worker) const { return !interrupted_ && ledger_.WaitingFor(worker) > 0; }
  bool WantsAnybody() const { return !interrupted_ && ledger_.waiting() > 0; }
  /// How many unanswered items, of whatever job, a worker may have so that it gets one of this job.
  std::size_t CreditOf(std::size_t worker) const;
  /// Nothing: the worker did not take it.
  std::optional<GivenItem> Give(std::size_t worker);

  // ---- what happened
  void WorkerReady(std::size_t worker, Nanoseconds since);
  void Sent(std::size_t worker);
  std::optional<std::span<std::byte>> PlaceFor(std::size_t worker, const FrameHeader& header);
  /// When the item that is answered became its worker's oldest, and when the answer was taken.
  struct Answer {
    Nanoseconds oldest_since = 0;
    Nanoseconds taken = 0;
  };
  /// Nothing: it cannot be right. Else whether the item is answered by it.
  std::optional<bool> TakeResult(std::size_t worker, const Frame& frame, const Answer& answer);
  bool TakeFailure(std::size_t worker, const GivenItem& given, const std::string& type,
                   const std::string& text, const Answer& answer);
  bool TakeStepFailure(std::size_t worker, const GivenItem& given, std::uint64_t step,
                       const std::string& type, const std::string& text);
  /// The worker is gone.
  struct Loss {
    const Departure& departure;
    std::string who;  ///< "worker 3 (pid 17) "
    std::string how;  ///< "killed by signal 11 (SIGSEGV)"
    bool as_told = false;
    bool blame = false;  ///< this job has what killed it
    bool timed_out = false;
  };
  /// The worker will not begin the item: it waits again.
  void Revoked(std::size_t worker, const GivenItem& given);
  /// Whether another worker may have what this one was given.
  bool MayMove() const { return !ledger_.HasOwners() && !interrupted_; }
  /// Whether an item was blamed for it.
  bool WorkerGone(std::size_t worker, const Loss& loss);
  void SlotLost(std::size_t worker, const std::string& error);
  /// This worker will not be replaced: its share is anybody's.
  void ReleaseShare(std::size_t worker) { ledger_.ReleaseShare(worker); }
  void Resume(Nanoseconds stopped);
  /// The job has more items than before. False: it has not.
  bool Grow();
  void AddWorker();
  /// Nobody wants the item any more. False: a worker has it, or it has ended.
  bool DropItem(std::uint64_t item);

  bool IsOpen(std::size_t worker, const GivenItem& given) const {
    return ledger_.IsOpen(worker, given);
  }
  std::size_t Given(std::size_t worker) const { return ledger_.Given(worker); }

  // ---- ending
  void Interrupt() { interrupted_ = true; }
  void Abort() { interrupted_ = aborted_ = true; }
  bool aborted() const { return aborted_; }
  /// Nothing more is given out; a worker that goes on with an item of it for longer than `grace` is
  /// to be killed.
  void Cancel(Nanoseconds grace);
  bool cancelled() const { return cancelled_at_ != 0; }
  /// When the oldest item of a worker is overdue, if it became the oldest at `oldest_since`; 0:
  /// never.
  Nanoseconds DueBy(Nanoseconds oldest_since) const;
  bool interrupted() const { return interrupted_; }
  bool Unfinished() const { return !ledger_.Finished(); }
  void Fail(std::string error);
  void Warn(std::string warning);
  void Note(std::string warning) { report_.warnings.push_back(std::move(warning)); }
  /// Whether nothing more is to be done. May find results spoilt, whose items then wait again.
  bool Finished();
  /// Makes the report; to be called once.
  JobReport Report(Nanoseconds waited);

 private:
  struct Credit {
    double service_ns = 0;  // moving average of the time between answers
    Nanoseconds last_answer = 0;
    bool tally_open = false;
    std::size_t tally = 0;                                      // index in the report's tallies
    std::deque<std::pair<std::uint64_t, SentStamps>> stamps{};  // of unanswered items, if timed
  };

  void NoteGivenAgain(const GivenItem& given);
  bool GiveTimed(std::size_t worker, const GivenItem& given);
  void Account(std::size_t worker, const Frame& frame, const TakenStamps& taken);
  MasterTimes TimesOfMaster() const;
  void Answered(std::size_t worker, const Answer& answer);
  void GiveUp(GivenUpItem given_up);
  WorkerTally& Tally(std::size_t worker);

  Workers& workers_;
  Job& job_;
  JobOptions options_;
  std::atomic<std::uint64_t>* items_done_;
  JobTicket ticket_;
  Ledger ledger_;
  std::vector<Credit> credits_;
  JobReport report_;
  std::optional<BudgetKeeper> keeper_;  // if the job is timed
  MasterTimes master_;
  LoopTimes loop_before_;
  Traffic traffic_before_;
  Nanoseconds cpu_begun_ = 0;
  unsigned rechecks_ = 0;
  bool interrupted_ = false;
  bool aborted_ = false;
  bool cut_short_ = false;  // interrupted while more might have come
  Nanoseconds cancelled_at_ = 0;
};

}  // namespace procpool
