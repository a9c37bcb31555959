// The workers, as the dispatch sees them: slots to which items can be given, and values that say
// what happened. The real ones are processes (process_workers.h); tests put others in their place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/channel.h"
#include "common/clock.h"
#include "master/job.h"
#include "master/worker_process.h"

namespace procpool {

/// A worker has left its slot; its channel was drained before, and it is reaped.
struct Departure {
  ProcessExit exit;
  pid_t pid = -1;
  std::string program;  ///< what was run
  bool was_ready = false;
  bool on_request = false;  ///< it had been told to stop
  bool hopeless =
      false;  ///< another one in its place would end the same way (foreign build, no such program)
  std::optional<GivenItem>
      working_on;      ///< the item it had begun last, as it said; of the current job
  std::string reason;  ///< why it was killed; empty if it ended on its own
};

class WorkerEvents {
 public:
  virtual ~WorkerEvents() = default;
  virtual void OnReady(std::size_t worker) = 0;
  /// All that was given to the worker has left for it. Told only in timed jobs.
  virtual void OnSent(std::size_t worker) = 0;
  /// A piece of a result is about to be received. Nothing: refused, the worker gets killed.
  virtual std::optional<std::span<std::byte>> PlaceFor(std::size_t worker,
                                                       const FrameHeader& header) = 0;
  /// A piece of a result, or all of it, is here. False: it cannot be right, the worker gets killed.
  virtual bool OnResult(std::size_t worker, const Frame& frame) = 0;
  /// The task threw.
  virtual bool OnFailed(std::size_t worker, const GivenItem& given, const std::string& type,
                        const std::string& text) = 0;
  virtual void OnGone(std::size_t worker, const Departure& departure) = 0;
  /// The slot could not be filled for want of processes, memory or descriptors; others work.
  virtual void OnSlotLost(std::size_t worker, const std::string& error) = 0;
};

/// What every item of a job has in common, on its way to the workers.
struct JobTicket {
  std::uint32_t id = 0;
  std::string task;
  std::span<const std::byte> context;
  bool timed = false;
};

/// What the loop did in a timed job, by its wall time.
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
  /// When the worker that is ready became so; 0: not known.
  virtual Nanoseconds ReadySince(std::size_t /*worker*/) const { return 0; }
  /// Number of the process in the slot: a replacement has another one.
  virtual std::size_t record(std::size_t worker) const = 0;
  /// The item of the current job that the worker began last, as it says itself.
  virtual std::optional<GivenItem> WorkingOn(std::size_t worker) const = 0;
  /// Slots that have a worker or will have one.
  virtual std::size_t alive() const = 0;

  virtual void BeginJob(const JobTicket& job) = 0;
  virtual void EndJob() = 0;
  virtual LoopTimes Times() const { return {}; }
  /// Through all channels so far, those of processes that are gone included.
  virtual Traffic TotalTraffic() const { return {}; }
  /// Items that the process in the slot was given, in all jobs.
  virtual std::uint64_t ItemsGiven(std::size_t worker) const = 0;
  /// Whether something that was given to the worker has not left yet.
  virtual bool HasUnsent(std::size_t worker) const = 0;
  /// False: its channel is full, the item was not taken. A long input is sent at once, so that this
  /// worker begins while the next one's input is being made.
  virtual bool Give(std::size_t worker, const GivenItem& given, const ItemInput& input,
                    bool timed) = 0;
  /// The worker leaves once it has answered what it was given.
  virtual void Stop(std::size_t worker) = 0;
  virtual void Kill(std::size_t worker, const std::string& reason) = 0;
  /// Fills an empty slot again.
  virtual void Replace(std::size_t worker) = 0;

  /// Sleeps until something happens, at most until the deadline, and tells `events`. May return
  /// early.
  virtual void Wait(Deadline deadline, WorkerEvents& events) = 0;
};

}  // namespace procpool
