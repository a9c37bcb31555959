// Workers that are processes: spawned one at a time, watched by pidfd, spoken to through channels,
// all in one thread with one event loop (Boost.Asio, which only process_workers*.cc see: it costs a
// file that includes it seconds).
//
// Lives of a slot:  empty ─▶ starting ─READY▶ ready ─▶ (dying) ─reaped▶ empty
// A worker's death is seen by its pidfd and by nothing else; what it had sent before is received
// first. A closed or broken channel of a live worker is a reason to kill it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/channel_factory.h"
#include "master/spawn_method.h"
#include "master/spawn_record.h"
#include "master/workers.h"

namespace procpool {

/// What each worker runs before it is ready: a task and its input. No task: nothing.
struct Initializer {
  std::string task;
  std::vector<std::byte> context;
  std::vector<std::byte> input;
  std::vector<Buffer> shared{};  ///< memory that the input refers to; kept as long as the pool
};

struct ProcessWorkersOptions {
  std::size_t slots = 1;
  const Transport* transport = nullptr;
  std::string program;  ///< path of the worker program
  const SpawnMethod* spawn = &DefaultSpawnMethod();
  Nanoseconds spin = 0;  ///< before parking, on both sides
  Nanoseconds ready_deadline = 10 * kSecond;
  std::string log_level = "warning";
  Initializer initializer{};
  std::uint64_t memory_limit = 0;  ///< bytes resident; a worker above is replaced; 0: none
  std::string faults{};            ///< which the workers shall commit (fault_plan.h)
};

class ProcessWorkers final : public Workers {
 public:
  explicit ProcessWorkers(ProcessWorkersOptions options);
  ~ProcessWorkers() override;

  std::size_t slots() const override { return slots_.size(); }
  bool CanTake(std::size_t worker) const override;
  bool IsReady(std::size_t worker) const override;
  Nanoseconds ReadySince(std::size_t worker) const override;
  std::size_t record(std::size_t worker) const override;
  std::optional<BegunItem> WorkingOn(std::size_t worker) const override;
  std::size_t alive() const override;
  void BeginJob(const JobTicket& job) override;
  void EndJob(std::uint32_t job) override;
  bool Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
            const ItemInput& input) override;
  void Stop(std::size_t worker) override;
  void Kill(std::size_t worker, const std::string& reason) override;
  using Workers::Replace;
  void Replace(std::size_t worker, Nanoseconds earliest) override;
  void KeepEmpty() override;
  void Resize(std::size_t workers) override;
  pid_t pid(std::size_t worker) const override;
  void Wait(Deadline deadline, WorkerEvents& events) override;
  LoopTimes Times() const override { return times_; }
  bool HasUnsent(std::size_t worker) const override;
  std::uint64_t TasksGiven(std::size_t worker) const override;
  std::uint64_t ItemsGiven(std::size_t worker) const override;
  bool Revoke(std::size_t worker, std::uint64_t number) override;
  Traffic TotalTraffic() const override;

  /// Runs `action` on the loop's thread soon; the only function that other threads may call.
  void Post(std::function<void()> action);
  /// Runs what was posted and has not run yet.
  void RunPosted();
  /// SIGSTOP and SIGCONT to all workers. Between the two no deadline passes.
  void Suspend();
  void Resume(Nanoseconds stopped);
  void KillAll();
  /// Lets the workers forget regions that have no owner any more.
  void ReleaseUnusedRegions();
  /// STOP to all, then SIGTERM after `grace`, SIGKILL after as long again; returns when all are
  /// reaped.
  void StopAll(Nanoseconds grace);

  const std::vector<SpawnRecord>& records() const { return records_; }

 private:
  enum class Life { kEmpty, kStarting, kReady, kDying };
  struct Loop;
  struct Slot;
  class Sink;
  struct ActiveJob {
    bool timed = false;
    bool is_heavy = false;  // workers shall forget it at once
  };

  static void PostForgets(Slot& slot);
  void KillLiar(std::size_t worker, const std::string& reason);
  void CheckMemory(std::size_t worker);
  bool Tell(std::size_t worker, const JobTicket& job);
  void Spawn(std::size_t worker);
  bool IsSpawnDue() const;
  void SpawnNext(WorkerEvents& events);
  static void WatchUnlessReadable(Slot& slot);
  void ReceiveFrom(std::size_t worker, WorkerEvents& events);
  void Drain(std::size_t worker, WorkerEvents& events);
  void FlushAll(WorkerEvents* events = nullptr);
  void Flush(Slot& slot);
  void SleepOrSpin(Deadline deadline, const WorkerEvents& events);
  void Reap(std::size_t worker, WorkerEvents& events);
  void CheckDeadlines();
  void KillStarting();
  std::size_t Poll();
  bool AnythingReadable() const;
  void Sleep(Deadline deadline, const WorkerEvents& events);
  void ShareBuffer(Slot& slot, const Buffer* buffer);

  ProcessWorkersOptions options_;
  unsigned long original_fd_limit_ = 0;
  std::unique_ptr<Loop> loop_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<SpawnRecord> records_;
  std::map<std::uint32_t, ActiveJob> jobs_;
  std::size_t timed_jobs_ = 0;
  std::size_t wanted_ = 0;    // slots from here on stay empty
  std::size_t to_spawn_ = 0;  // slots that wait to be filled
  bool suspended_ = false;
  std::vector<std::byte> initializer_;  // as it is sent to each worker; empty: none
  LoopTimes times_;
  Traffic past_traffic_;  // of processes that are gone
};

}  // namespace procpool
