// The pool: workers that stay alive from job to job, and the one thread that spawns them, gives out
// items and takes in results. It moves tasks (a name, bytes in, bytes out) and knows nothing of
// what they compute.
//
// Why a thread of its own: the kernel kills a worker when the *thread* that spawned it ends, so the
// spawning thread must live exactly as long as the pool.
//
// Thread-safety: Run() may be called from one thread at a time; Interrupt(), Abort(), Suspend(),
// Resume() and ItemsDone() from any thread. Errors: what a caller could act upon is in the
// JobReport; a pool that cannot start any worker at all, or a worker program that cannot be
// executed, is an Error from Run().
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

struct PoolOptions {
  std::size_t procs = 1;
  std::string transport = "shm";
  std::string worker_program{};                  ///< path; empty: `worker` beside this program
  std::string spawn{DefaultSpawnMethod().name};  ///< how a worker process is made
  WaitMode wait = WaitMode::kAuto;
  Nanoseconds ready_deadline = 10 * kSecond;
  Nanoseconds grace = 2 * kSecond;  ///< for leaving after STOP, and again after SIGTERM
  std::string log_level = "warning";
};

/// `worker` in the directory of the running program.
std::string DefaultWorkerProgram();
/// Throws Error{kUser} unless the file can be executed.
void RequireWorkerProgram(const std::string& path);

class Pool {
 public:
  /// Starts the thread, which begins to spawn. Throws Error{kUser} for an unknown transport or
  /// spawn method.
  explicit Pool(PoolOptions options);
  /// Stops the workers (STOP, then SIGTERM, then SIGKILL), reaps them, joins the thread.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Memory for a job's grid or inputs: shared with the workers if the transport shares memory.
  /// Throws Error{kMachine} if there is not enough.
  Buffer Allocate(std::size_t bytes, std::string_view what);

  /// Waits until every worker is ready. False: not before the deadline, or never, because one ended
  /// before or could not be started. A job need not wait for it:
  /// it begins with the first worker that is ready.
  bool WaitUntilReady(Deadline deadline);
  /// Whether every slot has a worker, ready or about to be.
  bool CanBecomeReady();
  /// Runs a job to its end. Blocks.
  JobReport Run(Job& job, const JobOptions& options);

  /// Nothing more is given out: of the running job, or of the next one if none runs.
  void Interrupt();
  /// Kills the workers and ends the running job, or the next one before it begins.
  void Abort();
  void Suspend();
  void Resume(Nanoseconds stopped);
  std::uint64_t ItemsDone() const { return items_done_.load(std::memory_order_relaxed); }

  /// Stops the workers now; the destructor does the same. Records are complete afterwards.
  void Close();
  /// After Run() or Close(): every process that was spawned, and the tallies of the last job.
  std::vector<SpawnRecord> Records();
  const std::vector<WorkerTally>& tallies() const { return tallies_; }
  WaitMode wait_mode() const { return wait_mode_; }
  const Transport& transport() const { return *transport_; }

 private:
  void ThreadMain();
  void Idle();
  JobReport RunHere(Job& job, const JobOptions& options);
  /// Runs `action` on the pool's thread and waits until it is done.
  void Do(const std::function<void()>& action);

  PoolOptions options_;
  const Transport* transport_;
  WaitMode wait_mode_;
  std::atomic<std::uint32_t> next_region_{1};
  std::atomic<std::uint64_t> items_done_{0};
  std::vector<WorkerTally> tallies_;

  std::unique_ptr<ProcessWorkers> workers_;  // made and used on the thread, but for Post()
  Dispatch* running_ = nullptr;              // on the thread only
  std::function<void()> next_;               // on the thread only: the job to run
  std::exception_ptr start_error_;
  bool interrupt_next_ = false;  // on the thread only
  bool quit_ = false;            // on the thread only
  std::mutex mutex_;
  std::condition_variable started_;
  bool is_started_ = false;  // with mutex_
  bool is_ending_ = false;   // with mutex_
  std::thread thread_;
};

}  // namespace procpool
