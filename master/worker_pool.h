// The pool: workers that stay alive from job to job, and the one thread that spawns them, gives out
// items and takes in results. It moves tasks (a name, bytes in, bytes out) and knows nothing of
// what they compute.
//
// Why a thread of its own: the kernel kills a worker when the *thread* that spawned it ends, so the
// spawning thread must live exactly as long as the pool.
//
// Thread-safety: every function may be called from any thread; the destructor only when no other
// call is under way. Jobs of several threads run side by side. Errors: what a caller could
// act upon is in the JobReport; a pool that cannot start any worker at all, or a worker program
// that cannot be executed, is an Error from Run().
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/buffer.h"
#include "master/dispatch.h"
#include "master/process_workers.h"

namespace procpool {

/// How a side waits for the other: spinning costs a CPU and saves the scheduler's wake-up.
enum class WaitMode { kAuto, kSpin, kHybrid, kPark };
std::optional<WaitMode> ParseWaitMode(std::string_view name);
std::string_view WaitModeName(WaitMode mode);
/// `auto` spins only while the live processes are fewer than the usable CPUs.
WaitMode ResolveWaitMode(WaitMode mode, std::size_t processes, unsigned cpus);
/// How long a side spins before it parks; not for `auto`.
Nanoseconds SpinOf(WaitMode mode);

struct WorkerPoolOptions {
  std::size_t procs = 1;
  std::string transport = "shm";
  std::string worker_program{};                  ///< path; empty: `worker` beside this program
  std::string spawn{DefaultSpawnMethod().name};  ///< how a worker process is made
  WaitMode wait = WaitMode::kAuto;
  Nanoseconds ready_deadline = 10 * kSecond;
  Nanoseconds grace = 2 * kSecond;  ///< for leaving after STOP, and again after SIGTERM
  std::string log_level = "warning";
  Initializer initializer{};       ///< what each worker runs before it is ready
  std::uint64_t memory_limit = 0;  ///< bytes of a worker's own; one above is replaced; 0: none
  /// Workers that died are replaced so often within so long a time at most; a window of 0: as often
  /// as they die.
  std::uint64_t max_restarts = RestartLimit::kMost;
  Nanoseconds restart_window = RestartLimit::kWindow;
  std::string faults{};  ///< which the workers shall commit (fault_plan.h)
};

/// A job that was started and may still run. Of one pool only.
struct StartedJob {
  std::uint32_t id = 0;  ///< on the pool's thread only
};

/// `worker` in the directory of the running program.
std::string DefaultWorkerProgram();
/// Throws Error{kUser} unless the file can be executed.
void RequireWorkerProgram(const std::string& path);

class WorkerPool {
 public:
  /// Starts the thread, which begins to spawn. Throws Error{kUser} for an unknown transport or
  /// spawn method.
  explicit WorkerPool(WorkerPoolOptions options);
  /// Stops the workers (STOP, then SIGTERM, then SIGKILL), reaps them, joins the thread.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Memory for a job's grid or inputs: shared with the workers if the transport shares memory.
  /// Throws Error{kMachine} if there is not enough.
  Buffer Allocate(std::size_t bytes, std::string_view what);

  /// Waits until every worker is ready. False: not before the deadline, or never, because one could
  /// not be started, or ended before each time it was tried. A job need not wait for it:
  /// it begins with the first worker that is ready.
  bool WaitUntilReady(Deadline deadline);
  /// Whether every slot has a worker, ready or about to be.
  bool CanBecomeReady();
  /// Runs a job to its end. Blocks.
  JobReport Run(Job& job, const JobOptions& options);
  /// Runs a job and returns at once. The job is kept until `ended` has been told, once, on the
  /// pool's thread: with the report, or with what the job ended with instead.
  std::shared_ptr<StartedJob> Start(std::shared_ptr<Job> job, const JobOptions& options,
                                    JobEnded ended);
  /// The same at once, for an action that was posted. Its number for the dispatch.
  std::uint32_t StartNow(std::shared_ptr<Job> job, const JobOptions& options,
                         const JobEnded& ended);
  /// For actions that were posted.
  Dispatch& dispatch() { return *dispatch_; }
  /// See Dispatch. A job that has ended is ignored.
  void Grown(std::shared_ptr<StartedJob> job);
  void Cancel(std::shared_ptr<StartedJob> job);
  /// So many workers from now on.
  void Resize(std::size_t workers);
  /// Runs `action` on the pool's thread soon. False: the pool is closed, it will not run.
  bool Post(std::function<void()> action);
  /// Lets the workers forget shared memory that has no other user any more. Never blocks.
  void ReleaseUnusedRegions();

  /// Nothing more is given out: of the jobs that run, or of the next one if none runs.
  void Interrupt();
  /// Kills the workers and ends the jobs that run, or the next one before it begins.
  void Abort();
  void Suspend();
  void Resume(Nanoseconds stopped);
  /// Of all jobs since the one that began while none ran.
  std::uint64_t ItemsDone() const { return items_done_.load(std::memory_order_relaxed); }

  /// Stops the workers now; the destructor does the same. Records are complete afterwards.
  void Close();
  /// Every process that was spawned, to be looked at while nothing changes: on the pool's thread,
  /// or here if that is gone.
  void Look(const std::function<void(const std::vector<SpawnRecord>&)>& look);
  /// Every process that was spawned.
  std::vector<SpawnRecord> Records();
  WaitMode wait_mode() const { return wait_mode_; }
  const Transport& transport() const { return *transport_; }

 private:
  void ThreadMain();
  /// Its number, 0 if it did not begin; then `ended` was told why.
  std::uint32_t Begin(Job& job, const JobOptions& options, const JobEnded& ended);
  /// Runs `action` on the pool's thread and waits until it is done. False: the pool is closed.
  bool Do(const std::function<void()>& action);

  WorkerPoolOptions options_;
  const Transport* transport_;
  WaitMode wait_mode_;
  std::atomic<std::uint64_t> items_done_{0};

  std::unique_ptr<ProcessWorkers> workers_;  // made and used on the thread, but for Post()
  std::unique_ptr<Dispatch> dispatch_;       // on the thread only
  std::exception_ptr start_error_;
  bool interrupt_next_ = false;  // on the thread only
  bool quit_ = false;            // on the thread only
  std::mutex mutex_;
  std::condition_variable started_;
  std::mutex closing_;       // for one thread at a time to join
  bool is_started_ = false;  // with mutex_
  bool is_ending_ = false;   // with mutex_
  std::thread thread_;
};

}  // namespace procpool
