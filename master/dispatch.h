// The dispatch: gives the items of jobs to workers until every one is answered. Many jobs may run
// side by side; they are served in the order in which they began. Pure logic over `Workers`, so
// tests run it with workers that are no processes.
//
// One turn:
//
//   1  Give out: each worker that can take more gets items, as far as its credit goes, whoever has
//      least first. A worker that has nothing while another one is long at an item with more behind
//      it gets what is behind it.
//
//   2  Wait until something happens: a result, a failure, a death, a deadline, another thread's
//      wish.
//
//   3  Act on what happened (the On… functions); kill workers whose oldest item is overdue; end
//      the jobs that are finished.
//
// A job ends with its report, or with an exception: one that its own functions threw, or the one
// that says why there can be no workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "master/job_run.h"
#include "master/restart_limit.h"

namespace procpool {

/// A job has ended: its report, or what it ended with instead.
using JobEnded = std::function<void(JobReport report, std::exception_ptr error)>;

class Dispatch final : private WorkerEvents {
 public:
  explicit Dispatch(Workers& workers, RestartLimit restarts = RestartLimit())
      : workers_(workers), restarts_(std::move(restarts)), lanes_(workers.slots()) {}
  ~Dispatch() override { EndJobs(); }
  Dispatch(const Dispatch&) = delete;
  Dispatch& operator=(const Dispatch&) = delete;

  /// A job begins; it must stay until it has ended, which `ended` is told once, on this thread.
  /// `items_done`, if given, counts along for other threads to read.
  /// Returns its number.
  std::uint32_t Begin(Job& job, const JobOptions& options, JobEnded ended,
                      std::atomic<std::uint64_t>* items_done = nullptr);
  /// Waits at most until the deadline.
  void Turn(Deadline deadline);
  /// No job has anything to do; one without an end may be waiting for more.
  bool Idle() const;
  /// Ends the jobs that still run, as interrupted.
  void EndJobs();
  /// A job that runs has more items than before, or knows now that it will have no more. A number
  /// that names no job is ignored.
  void Grown(std::uint32_t job);
  /// Of this job nothing more is given out. A worker that is at an item of it and does not finish
  /// within milliseconds is killed and replaced; no other job loses anything but time by it.
  void Cancel(std::uint32_t job);
  /// The same for one item of it; the job goes on.
  void CancelItem(std::uint32_t job, std::uint64_t item);
  /// So many workers from now on. Those beyond leave once they have answered what they were given.
  void Resize(std::size_t workers);

  // To be called on the loop's thread, between two turns or while one waits.
  /// Of the jobs that run nothing more is given out; what is outstanding is still taken in.
  void Interrupt();
  /// They end now, whatever is outstanding.
  void Abort();
  /// The workers were stopped, or go on after so long; in between no deadline passes.
  void Suspend() { suspended_ = true; }
  void Resume(Nanoseconds stopped);

 private:
  struct Entry {
    JobRun run;
    JobEnded ended;
    Nanoseconds waited_before = 0;
    std::exception_ptr thrown{};  // by one of the job's functions
    bool open = false;            // in open_
    bool settle = false;          // in settle_
  };
  struct LaneItem : JobItem {
    std::uint64_t number = 0;      // Workers::ItemsGiven() when it had been given
    Nanoseconds cancelled_at = 0;  // 0: it was not
  };
  // What a cancelled item may still take: ending a worker and making another one takes as long.
  static constexpr Nanoseconds kCancelGrace = 2 * kMillisecond;
  // One worker's unanswered items, of all jobs, oldest first.
  struct Lane {
    std::deque<LaneItem> given;
    Nanoseconds oldest_since = 0;  // when the first of them became the oldest
    bool was_revoked = false;      // something was, or could not be, since then
    Nanoseconds step_since = 0;  // when the step that it is at began, as far as that was asked for
    enum class Killed { kNo, kOverdue, kCancelled } killed = Killed::kNo;  // by the dispatch
  };

  bool AnswerDue() const override { return !Idle(); }
  void OnReady(std::size_t worker) override;
  void OnSent(std::size_t worker) override;
  std::optional<std::span<std::byte>> PlaceFor(std::size_t worker,
                                               const FrameHeader& header) override;
  bool OnResult(std::size_t worker, const Frame& frame) override;
  bool OnFailed(std::size_t worker, const JobItem& item, const std::string& type,
                const std::string& text) override;
  bool OnStepThrew(std::size_t worker, const JobItem& item, std::uint64_t step,
                   const std::string& type, const std::string& text) override;
  void OnGone(std::size_t worker, const Departure& departure) override;
  void OnSlotLost(std::size_t worker, const std::string& error) override;

  std::uint32_t NextId();
  void LeaveIdleness();
  Entry* Find(std::uint32_t job);
  Entry* CulpritOf(std::size_t worker, const Departure& departure);
  void GiveOut();
  bool GiveOne(std::size_t worker);
  bool Revoke(std::size_t worker, std::size_t place);
  void RevokeAll(const Entry& entry);
  void Drop(Entry& entry, std::uint64_t item);
  bool Rebalance();
  std::optional<std::size_t> Idler() const;
  std::optional<std::size_t> Overloaded() const;
  Nanoseconds MoveAt(std::size_t worker) const;
  void Answered(std::size_t worker, const JobItem& item, Nanoseconds taken);
  void CheckDeadlines();
  Deadline NextDeadline() const;
  Nanoseconds DueBy(std::size_t worker) const;
  void KillOverdue(std::size_t worker);
  /// Ends the jobs that are finished.
  void Settle();
  void Replace(std::size_t worker);
  void ReplaceAll();
  void ReplaceNobody();
  void SettleSoon(Entry& entry);
  void Reopen(Entry& entry);
  void Open(Entry& entry);
  void End(Entry& entry);
  void EndAll(const std::exception_ptr& error);
  void FailAll(const std::string& error);
  bool MayGoOn(const Departure& departure, const JobRun::Loss& loss, bool blamed, Nanoseconds now);
  void DiedIdle(std::size_t worker, const Departure& departure, const JobRun::Loss& loss,
                bool wanted, Nanoseconds now);
  void FailRestarts(const JobRun::Loss& last);
  void FailStart(const Departure& departure);
  bool AnybodyWants() const;
  /// `act` calls the job's own functions; if one throws the job ends with that. False: it did.
  template <typename Act>
  bool Guard(Entry& entry, const Act& act);

  Workers& workers_;
  RestartLimit restarts_;
  std::map<std::uint32_t, std::unique_ptr<Entry>> jobs_;
  std::uint32_t last_id_ = 0;
  std::deque<Entry*> open_;     // those with items that wait, the next one to serve first
  std::vector<Entry*> settle_;  // those that may have ended
  std::vector<Lane> lanes_;
  Nanoseconds waited_ = 0;
  Nanoseconds tried_to_move_ = 0;
  Nanoseconds move_after_ = 0;
  unsigned start_failures_ = 0;         // in a row, without any worker becoming ready
  Nanoseconds not_before_ = 0;          // nobody is replaced until then, after such failures
  std::uint64_t fruitless_deaths_ = 0;  // in a row, with no item to blame and nobody at work
  unsigned idle_deaths_ = 0;            // while there was nothing to do, since the last time
  bool out_of_restarts_ = false;        // nobody is replaced
  bool any_ready_ = false;              // since there was something to do
  bool suspended_ = false;
};

// `act` must not assign what a function returns through memory to something outside: GCC 12 lets
// the function write there directly, takes what stood there before for overwritten, and leaves that
// out; if the function then throws, anything may stand there.
template <typename Act>
bool Dispatch::Guard(Entry& entry, const Act& act) {
  try {
    act();
    return true;
  } catch (...) {
    if (!entry.thrown) entry.thrown = std::current_exception();
    entry.run.Abort();
    SettleSoon(entry);
    return false;
  }
}

}  // namespace procpool
