#include <procpool/detail/pool_core.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <procpool/call_errors.h>
#include "common/host.h"
#include "common/log.h"
#include "common/serving.h"
#include "common/shared_memory.h"
#include "master/call_lines.h"
#include "master/map_job.h"
#include "master/worker_pool.h"

namespace procpool::detail {
namespace {

Nanoseconds Of(std::chrono::nanoseconds duration) {
  return duration.count();
}

Error NoSuch(std::string_view what, const std::string& name, std::string_view allowed) {
  return {Blame::kUser,
          {"use", std::string(what) + " '" + name + "'", "there is none of that name",
           "use " + std::string(allowed)}};
}

std::string ProgramOf(const PoolOptions& options) {
  return options.worker_program.empty() ? std::string(kThisProgram) : options.worker_program;
}

// A program that is its own worker and does not look at its arguments would make a pool in each
// worker, whose workers would each make one.
void RefuseInUnservedWorker() {
  if (!IsLaunchedAsWorker() || IsServing()) return;
  throw Error(Blame::kUser,
              {"make", "pool", "this process was started as a worker, and does not serve",
               "begin main() with procpool::worker_main_if_asked(argc, argv)"});
}

WorkerPoolOptions Translate(const PoolOptions& options, InitializerCall call) {
  const std::optional<WaitMode> wait = ParseWaitMode(options.wait);
  if (!wait) throw NoSuch("wait mode", options.wait, "auto, spin, hybrid or park");
  WorkerPoolOptions translated{.procs = options.workers == 0 ? UsableCpus() : options.workers,
                               .transport = options.transport,
                               .worker_program = ProgramOf(options),
                               .wait = *wait,
                               .ready_deadline = Of(options.ready_deadline),
                               .grace = Of(options.grace),
                               .log_level = options.log_level,
                               .memory_limit = options.memory_limit,
                               .max_restarts = options.max_restarts,
                               .restart_window = Of(options.restart_window),
                               .faults = options.chaos};
  translated.initializer = {.task = std::move(call.task),
                            .context = std::move(call.context),
                            .input = std::move(call.input)};
  for (const auto& memory : call.shared) translated.initializer.shared.push_back(memory->buffer);
  return translated;
}

// Those of all batches.
JobOptions JobOptionsOf(const PoolOptions& options) {
  return {.most_deaths = 1,
          .most_tasks_per_worker = options.max_tasks_per_worker,
          .quiet_failures = true,
          .budgeted = false};
}

}  // namespace

struct PoolCore::Parts {
  PoolOptions options;
  pid_t owner = ::getpid();
  std::shared_ptr<CallbackThread> callbacks = std::make_shared<CallbackThread>();
  InputArena arena;
  WorkLog log;
  std::atomic<std::size_t> workers_wanted{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t running = 0;  // with mutex: batches
  bool closed = false;      // with mutex
  std::atomic<bool> release_posted{false};
  std::unique_ptr<WorkerPool> workers;
  std::optional<CallLines> lines;  // on the pool's thread only, but for when that is gone
  std::optional<SharedMemoryWatch> watch;

  MapJobOptions OptionsOf(const CallOptions& call) {
    return {.retries = call.retries,
            .retry_exceptions = call.retry_exceptions,
            .timeout = Of(call.timeout),
            .arena = workers->transport().shares_memory ? &arena : nullptr,
            .log = options.statistics ? &log : nullptr};
  }
  // Arrays may end in great numbers: one look serves all that ended before it.
  void ReleaseSoon() {
    if (release_posted.exchange(true)) return;
    const bool posted = workers->Post([this] {
      release_posted = false;
      workers->ReleaseUnusedRegions();
    });
    if (!posted) release_posted = false;
  }
  void Begin() {
    const std::lock_guard lock(mutex);
    if (closed) throw PoolClosed();
    ++running;
  }
  void Ended() {
    const std::lock_guard lock(mutex);
    --running;
    changed.notify_all();
  }
};

PoolCore::PoolCore(const PoolOptions& options, InitializerCall initializer) {
  RefuseInUnservedWorker();
  LogAtLeast(options.log_level);
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  WorkerPoolOptions translated = Translate(options, std::move(initializer));
  parts->workers_wanted = translated.procs;
  parts->workers = std::make_unique<WorkerPool>(std::move(translated));
  parts->lines.emplace(*parts->workers, JobOptionsOf(options),
                       [parts = parts.get()] { parts->Ended(); });
  parts->watch.emplace([parts = parts.get()] { parts->ReleaseSoon(); });
  parts_ = parts.release();
}

PoolCore::~PoolCore() {
  if (parts_->owner != ::getpid()) return;
  Terminate();
  delete parts_;
}

std::shared_ptr<StartedJob> PoolCore::Start(const std::shared_ptr<Batch>& batch,
                                            const CallOptions& options) {
  Parts& parts = *parts_;
  auto job = std::make_shared<MapJob>(batch, parts.OptionsOf(options));
  JobOptions job_options = JobOptionsOf(parts.options);
  job_options.timeout = Of(options.timeout);
  job_options.endless = batch->MoreMayCome();
  parts.Begin();
  try {
    parts.workers->Post([&parts] { parts.lines->MakeWayForJob(); });
    return parts.workers->Start(
        std::move(job), job_options,
        [&parts, batch](const JobReport& report, const std::exception_ptr& error) {
          batch->Ended(ErrorOfBatch(report, error));
          parts.Ended();
        });
  } catch (...) {
    parts.Ended();
    throw;
  }
}

std::shared_ptr<StartedCall> PoolCore::StartCall(const std::shared_ptr<Batch>& call,
                                                 const CallOptions& options) {
  Parts& parts = *parts_;
  auto started = std::make_shared<StartedCall>();
  parts.Begin();
  const bool posted =
      parts.workers->Post([&parts, call, options = parts.OptionsOf(options), started] {
        parts.lines->Begin(call, options, *started);
      });
  if (!posted) {
    parts.Ended();
    throw PoolClosed();
  }
  return started;
}

void PoolCore::Cancel(const std::shared_ptr<StartedCall>& call) {
  parts_->workers->Post([parts = parts_, call] { parts->lines->Cancel(*call); });
}

void PoolCore::Grown(const std::shared_ptr<StartedJob>& job) {
  parts_->workers->Grown(job);
}

void PoolCore::Cancel(const std::shared_ptr<StartedJob>& job) {
  parts_->workers->Cancel(job);
}

void PoolCore::Close() {
  const std::lock_guard lock(parts_->mutex);
  parts_->closed = true;
}

bool PoolCore::JoinUntil(std::chrono::steady_clock::time_point deadline) {
  {
    std::unique_lock lock(parts_->mutex);
    if (!parts_->closed) {
      throw std::logic_error("procpool::Pool::join() before close() or terminate()");
    }
    if (!parts_->changed.wait_until(lock, deadline, [this] { return parts_->running == 0; }))
      return false;
  }
  parts_->workers->Close();
  return true;
}

void PoolCore::Terminate() {
  if (parts_->owner != ::getpid()) return;  // neither the workers nor the thread are ours to end
  Close();
  parts_->workers->Abort();
  parts_->workers->Close();
}

void PoolCore::Resize(std::size_t workers) {
  if (workers == 0) throw std::invalid_argument("procpool::Pool::resize(): at least one worker");
  parts_->workers_wanted = workers;
  parts_->workers->Resize(workers);
}

std::size_t PoolCore::workers() const {
  return parts_->workers_wanted;
}

PoolStatistics PoolCore::Statistics() {
  if (!parts_->options.statistics) {
    throw std::logic_error("procpool::Pool::statistics() needs PoolOptions::statistics");
  }
  PoolStatistics statistics;
  parts_->workers->Look([&](const std::vector<SpawnRecord>& records) {
    statistics = parts_->log.Statistics(records, Now());
  });
  return statistics;
}

const CallOptions& PoolCore::defaults() const {
  return parts_->options.defaults;
}

const std::shared_ptr<CallbackThread>& PoolCore::callbacks() const {
  return parts_->callbacks;
}

}  // namespace procpool::detail
