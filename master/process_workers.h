// Workers that are processes: spawned one at a time, watched by pidfd, spoken to through channels,
// all in one thread with one event loop (Boost.Asio).
//
// Lives of a slot:  empty ─▶ starting ─READY▶ ready ─▶ (dying) ─reaped▶ empty
// A worker's death is seen by its pidfd and by nothing else; what it had sent before is received
// first. A closed or broken channel of a live worker is a reason to kill it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/channel_factory.h"
#include "master/spawn_method.h"
#include "master/workers.h"

namespace procpool {

struct ProcessWorkersOptions {
  std::size_t slots = 1;
  const Transport* transport = nullptr;
  std::string program;  ///< path of the worker program
  const SpawnMethod* spawn = &DefaultSpawnMethod();
  Nanoseconds spin = 0;  ///< before parking, on both sides
  Nanoseconds ready_deadline = 10 * kSecond;
  std::string log_level = "warning";
};

/// One spawned process in the statistics, also after it is gone.
struct SpawnRecord {
  std::size_t slot = 0;
  pid_t pid = -1;
  Nanoseconds spawned = 0;  ///< the spawn began
  Nanoseconds spawn_returned = 0;
  Nanoseconds main_reached = 0;  ///< as the worker says
  Nanoseconds ready = 0;         ///< READY seen here
  std::string exit;              ///< empty while it lives
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
  std::optional<GivenItem> WorkingOn(std::size_t worker) const override;
  std::size_t alive() const override;
  void BeginJob(const JobTicket& job) override;
  void EndJob() override;
  bool Give(std::size_t worker, const GivenItem& given, const ItemInput& input,
            bool timed) override;
  void Stop(std::size_t worker) override;
  void Kill(std::size_t worker, const std::string& reason) override;
  void Replace(std::size_t worker) override;
  void Wait(Deadline deadline, WorkerEvents& events) override;
  LoopTimes Times() const override { return times_; }
  bool HasUnsent(std::size_t worker) const override;
  std::uint64_t ItemsGiven(std::size_t worker) const override;
  Traffic TotalTraffic() const override;

  /// Runs `action` on the loop's thread soon; the only function that other threads may call.
  void Post(std::function<void()> action);
  /// Runs what was posted and has not run yet.
  void RunPosted() { loop_.poll(); }
  /// SIGSTOP and SIGCONT to all workers. Between the two no deadline passes.
  void Suspend();
  void Resume(Nanoseconds stopped);
  void KillAll();
  /// STOP to all, then SIGTERM after `grace`, SIGKILL after as long again; returns when all are
  /// reaped.
  void StopAll(Nanoseconds grace);

  const std::vector<SpawnRecord>& records() const { return records_; }

 private:
  enum class Life { kEmpty, kStarting, kReady, kDying };
  struct Slot;
  class Sink;

  void Spawn(std::size_t worker);
  void SpawnNext(WorkerEvents& events);
  static void WatchUnlessReadable(Slot& slot);
  void ReceiveFrom(std::size_t worker, WorkerEvents& events);
  void Drain(std::size_t worker, WorkerEvents& events);
  void FlushAll(WorkerEvents* events = nullptr);
  void Flush(Slot& slot);
  void SleepOrSpin(Deadline deadline);
  void Reap(std::size_t worker, WorkerEvents& events);
  void CheckDeadlines();
  void KillStarting();
  bool AnythingReadable() const;
  void Sleep(Deadline deadline);
  void ShareBuffer(Slot& slot, const Buffer* buffer);
  void ReleaseUnusedRegions();

  ProcessWorkersOptions options_;
  unsigned long original_fd_limit_ = 0;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<SpawnRecord> records_;
  std::optional<JobTicket> job_;
  std::size_t to_spawn_ = 0;  // slots that wait to be filled
  bool suspended_ = false;
  LoopTimes times_;
  Traffic past_traffic_;  // of processes that are gone
};

}  // namespace procpool
