// The workers, as the dispatch sees them: slots to which items can be given, and values that say
// what happened. The real ones are processes (process_workers.h); tests put others in their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/channel.h"
#include "common/clock.h"
#include "master/job.h"
#include "master/worker_process.h"

namespace procpool {

/// An item, and the job it is of.
struct JobItem {
  std::uint32_t job = 0;
  GivenItem given;
  bool operator==(const JobItem&) const = default;
};

/// What a worker says of the item that it began last.
struct BegunItem {
  JobItem item;
  std::uint64_t step = 0;
  Nanoseconds begun = 0;  ///< when the step began; 0: it was not asked to say
};

/// The path of the running program, whatever became of its file: for a program that is its own
/// worker.
inline constexpr std::string_view kThisProgram = "/proc/self/exe";

/// A worker has left its slot; its channel was drained before, and it is reaped.
struct Departure {
  ProcessExit exit;
  pid_t pid = -1;
  std::string program;  ///< what was run
  bool was_ready = false;
  bool on_request = false;  ///< it had been told to stop
  bool hopeless =
      false;  ///< another one in its place would end the same way (foreign build, no such program)
  std::optional<BegunItem> working_on;  ///< the item it had begun last, as it said
  std::string reason;                   ///< why it was killed; empty if it ended on its own
};

class WorkerEvents {
 public:
  virtual ~WorkerEvents() = default;
  /// Whether anything is being waited for: between jobs nobody spins.
  virtual bool AnswerDue() const { return true; }
  virtual void OnReady(std::size_t worker) = 0;
  /// All that was given to the worker has left for it. Told only in timed jobs.
  virtual void OnSent(std::size_t worker) = 0;
  /// A piece of a result is about to be received. Nothing: refused, the worker gets killed.
  virtual std::optional<std::span<std::byte>> PlaceFor(std::size_t worker,
                                                       const FrameHeader& header) = 0;
  /// A piece of a result, or all of it, is here. False: it cannot be right, the worker gets killed.
  virtual bool OnResult(std::size_t worker, const Frame& frame) = 0;
  /// The task threw.
  virtual bool OnFailed(std::size_t worker, const JobItem& item, const std::string& type,
                        const std::string& text) = 0;
  /// One step of an item threw; the item goes on.
  virtual bool OnStepThrew(std::size_t worker, const JobItem& item, std::uint64_t step,
                           const std::string& type, const std::string& text) = 0;
  virtual void OnGone(std::size_t worker, const Departure& departure) = 0;
  /// The slot could not be filled for want of processes, memory or descriptors; others work.
  virtual void OnSlotLost(std::size_t worker, const std::string& error) = 0;
};

/// What every item of a job has in common, on its way to the workers.
struct JobTicket {
  std::uint32_t id = 0;
  std::string task;
  std::uint32_t task_id = 0;  ///< TaskId() of it
  std::span<const std::byte> context;
  bool timed = false;
  bool watched = false;   ///< the beginnings of steps are marked with their times
  bool together = false;  ///< results may wait for one another on their way
};

/// What the loop did while timed jobs ran, by its wall time.
struct LoopTimes {
  Nanoseconds asleep = 0;
  Nanoseconds spawn = 0;
  Nanoseconds send = 0;
  Nanoseconds receive = 0;  ///< what the events did with what came included
};

class Workers {
 public:
  virtual ~Workers() = default;
  virtual std::size_t slots() const = 0;
  /// Ready, and neither stopping nor dying.
  virtual bool CanTake(std::size_t worker) const = 0;
  /// Ready and not known to be dying.
  virtual bool IsReady(std::size_t worker) const = 0;
  /// Process number of the worker in the slot, -1 if there is none.
  virtual pid_t pid(std::size_t /*worker*/) const { return -1; }
  /// When the worker that is ready became so; 0: not known.
  virtual Nanoseconds ReadySince(std::size_t /*worker*/) const { return 0; }
  /// Number of the process in the slot: a replacement has another one.
  virtual std::size_t record(std::size_t worker) const = 0;
  /// The item that the worker began last, as it says itself.
  virtual std::optional<BegunItem> WorkingOn(std::size_t worker) const = 0;
  /// Slots that have a worker or will have one.
  virtual std::size_t alive() const = 0;

  virtual void BeginJob(const JobTicket& job) = 0;
  virtual void EndJob(std::uint32_t job) = 0;
  /// In all the time in which a timed job ran.
  virtual LoopTimes Times() const { return {}; }
  /// Through all channels so far, those of processes that are gone included.
  virtual Traffic TotalTraffic() const { return {}; }
  /// Tasks that the process in the slot was given, in all jobs.
  virtual std::uint64_t TasksGiven(std::size_t worker) const = 0;
  /// Items that the process in the slot was given, in all jobs.
  virtual std::uint64_t ItemsGiven(std::size_t /*worker*/) const { return 0; }
  /// Takes back an item that the worker has not begun: it never will. number: what ItemsGiven() was
  /// when it had been given. False: too late, or it cannot be told.
  virtual bool Revoke(std::size_t /*worker*/, std::uint64_t /*number*/) { return false; }
  /// Whether something that was given to the worker has not left yet.
  virtual bool HasUnsent(std::size_t worker) const = 0;
  /// False: its channel is full, the item was not taken. A long input is sent at once, so that this
  /// worker begins while the next one's input is being made.
  virtual bool Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
                    const ItemInput& input) = 0;
  /// The worker leaves once it has answered what it was given.
  virtual void Stop(std::size_t worker) = 0;
  virtual void Kill(std::size_t worker, const std::string& reason) = 0;
  /// Fills an empty slot again, unless it is beyond the number of workers wanted; not before
  /// `earliest`, 0 being at once. Of a slot that waits already this is the new time.
  virtual void Replace(std::size_t worker, Nanoseconds earliest) = 0;
  void Replace(std::size_t worker) { Replace(worker, 0); }
  /// Slots that wait to be filled stay empty.
  virtual void KeepEmpty() {}
  /// So many workers from now on; slots() never shrinks. Those beyond are told to stop.
  virtual void Resize(std::size_t workers) = 0;

  /// Sleeps until something happens, at most until the deadline, and tells `events`. May return
  /// early.
  virtual void Wait(Deadline deadline, WorkerEvents& events) = 0;
};

}  // namespace procpool
