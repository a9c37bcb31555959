#include "master/worker_pool.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <utility>

#include <procpool/error.h>
#include "common/fault_plan.h"
#include "common/host.h"
#include "common/os_error.h"
#include "common/shared_memory.h"

namespace procpool {
namespace {

constexpr std::array kWaitModes{std::pair{WaitMode::kAuto, std::string_view("auto")},
                                std::pair{WaitMode::kSpin, std::string_view("spin")},
                                std::pair{WaitMode::kHybrid, std::string_view("hybrid")},
                                std::pair{WaitMode::kPark, std::string_view("park")}};
// A hybrid wait spins for about as long as a wake-up by the scheduler takes.
constexpr Nanoseconds kHybridSpin = 50 * kMicrosecond;
constexpr Nanoseconds kLongSpin = 60 * kSecond;

Error ClosedError() {
  return {Blame::kUser, {"run", "job", "the pool is closed", "start another pool"}};
}

}  // namespace

std::optional<WaitMode> ParseWaitMode(std::string_view name) {
  for (const auto& [mode, mode_name] : kWaitModes) {
    if (mode_name == name) return mode;
  }
  return std::nullopt;
}

std::string_view WaitModeName(WaitMode mode) {
  return kWaitModes[static_cast<std::size_t>(mode)].second;
}

WaitMode ResolveWaitMode(WaitMode mode, std::size_t processes, unsigned cpus) {
  if (mode != WaitMode::kAuto) return mode;
  return processes < cpus ? WaitMode::kHybrid : WaitMode::kPark;
}

Nanoseconds SpinOf(WaitMode mode) {
  switch (mode) {
    case WaitMode::kSpin:
      return kLongSpin;
    case WaitMode::kHybrid:
      return kHybridSpin;
    default:
      return 0;
  }
}

std::string DefaultWorkerProgram() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path() / "worker").string();
}

void RequireWorkerProgram(const std::string& path) {
  struct stat status {};
  const bool executable = ::stat(path.c_str(), &status) == 0 && ::access(path.c_str(), X_OK) == 0;
  if (executable && S_ISREG(status.st_mode)) return;
  const std::string cause = executable ? "it is not a regular file" : ErrnoText(errno);
  throw Error(Blame::kUser, {"execute", "worker program '" + path + "'", cause,
                             "build it there, or name another worker program"});
}

WorkerPool::WorkerPool(WorkerPoolOptions options)
    : options_(std::move(options)),
      transport_(FindTransport(options_.transport)),
      // The master's loop is a live process too.
      wait_mode_(ResolveWaitMode(options_.wait, options_.procs + 1, UsableCpus())) {
  if (transport_ == nullptr) {
    throw Error(Blame::kUser, {"use", "transport '" + options_.transport + "'",
                               "there is none of that name", "use pipe, queue or shm"});
  }
  if (FindSpawnMethod(options_.spawn) == nullptr) {
    throw Error(Blame::kUser, {"use", "spawn method '" + options_.spawn + "'",
                               "there is none of that name", "use one that --spawn offers"});
  }
  if (!options_.faults.empty()) ParseFaultPlan(options_.faults);  // to refuse it here
  if (options_.worker_program.empty()) options_.worker_program = DefaultWorkerProgram();
  RequireWorkerProgram(options_.worker_program);
  thread_ = std::thread([this] { ThreadMain(); });
  std::unique_lock lock(mutex_);
  started_.wait(lock, [this] { return is_started_; });
  if (start_error_) {
    lock.unlock();
    thread_.join();
    std::rethrow_exception(start_error_);
  }
}

WorkerPool::~WorkerPool() {
  Close();
}

Buffer WorkerPool::Allocate(std::size_t bytes, std::string_view what) {
  RequireMemory(bytes, what);
  if (!transport_->shares_memory || bytes == 0) return Buffer::Private(bytes);
  return Buffer::Shared(NextRegionId(),
                        std::make_shared<SharedRegion>(SharedRegion::Create(bytes)));
}

bool WorkerPool::Do(const std::function<void()>& action) {
  // Shared, for the thread may still be inside set_value() when this function has returned.
  const auto done = std::make_shared<std::promise<void>>();
  const bool posted = Post([&action, done] {
    try {
      action();
      done->set_value();
    } catch (...) {
      done->set_exception(std::current_exception());
    }
  });
  if (!posted) return false;
  done->get_future().get();
  return true;
}

bool WorkerPool::WaitUntilReady(Deadline deadline) {
  for (bool all = false, lost = false; !all;) {
    Do([&] {
      all = true;
      lost = workers_->alive() < workers_->slots();  // an empty one waits for the next job
      for (std::size_t worker = 0; worker < workers_->slots(); ++worker) {
        all = all && workers_->IsReady(worker);
      }
    });
    if (!all && (lost || deadline.Passed())) return false;
    if (!all) std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

bool WorkerPool::CanBecomeReady() {
  bool all = true;
  Do([&] { all = workers_->alive() == workers_->slots(); });
  return all;
}

bool WorkerPool::Post(std::function<void()> action) {
  // Once the thread is about to end nobody would run the action; what was posted before is still
  // run by it.
  const std::lock_guard lock(mutex_);
  if (is_ending_) return false;
  workers_->Post(std::move(action));
  return true;
}

JobReport WorkerPool::Run(Job& job, const JobOptions& options) {
  const auto promise = std::make_shared<std::promise<JobReport>>();  // shared: see Do()
  const JobEnded ended = [promise](JobReport report, const std::exception_ptr& error) {
    if (error) {
      promise->set_exception(error);
    } else {
      promise->set_value(std::move(report));
    }
  };
  if (!Post([this, &job, options, ended] { Begin(job, options, ended); })) throw ClosedError();
  return promise->get_future().get();
}

std::shared_ptr<StartedJob> WorkerPool::Start(std::shared_ptr<Job> job, const JobOptions& options,
                                              JobEnded ended) {
  auto started = std::make_shared<StartedJob>();
  if (!Post([this, started, job = std::move(job), options, ended = std::move(ended)] {
        started->id = StartNow(job, options, ended);
      })) {
    throw ClosedError();
  }
  return started;
}

std::uint32_t WorkerPool::StartNow(std::shared_ptr<Job> job, const JobOptions& options,
                                   const JobEnded& ended) {
  Job& runs = *job;
  // What the function holds keeps the job as long as it runs.
  return Begin(runs, options,
               [job = std::move(job), ended](JobReport report, const std::exception_ptr& error) {
                 ended(std::move(report), error);
               });
}

void WorkerPool::Grown(std::shared_ptr<StartedJob> job) {
  Post([this, job = std::move(job)] { dispatch_->Grown(job->id); });
}

void WorkerPool::Cancel(std::shared_ptr<StartedJob> job) {
  Post([this, job = std::move(job)] { dispatch_->Cancel(job->id); });
}

void WorkerPool::Resize(std::size_t workers) {
  Post([this, workers] { dispatch_->Resize(workers); });
}

void WorkerPool::ReleaseUnusedRegions() {
  Post([this] { workers_->ReleaseUnusedRegions(); });
}

std::uint32_t WorkerPool::Begin(Job& job, const JobOptions& options, const JobEnded& ended) {
  if (quit_) {
    ended({}, std::make_exception_ptr(ClosedError()));
    return 0;
  }
  const bool interrupt = std::exchange(interrupt_next_, false);
  if (dispatch_->Idle()) items_done_ = 0;
  std::uint32_t id = 0;
  try {
    id = dispatch_->Begin(job, options, ended, &items_done_);
  } catch (...) {
    ended({}, std::current_exception());
    return 0;
  }
  if (interrupt) dispatch_->Interrupt();
  return id;
}

void WorkerPool::Interrupt() {
  Post([this] {
    interrupt_next_ = dispatch_->Idle();
    dispatch_->Interrupt();
  });
}

void WorkerPool::Abort() {
  Post([this] {
    interrupt_next_ = dispatch_->Idle();
    dispatch_->Abort();
    workers_->KillAll();
  });
}

void WorkerPool::Suspend() {
  Do([this] {
    workers_->Suspend();
    dispatch_->Suspend();
  });
}

void WorkerPool::Resume(Nanoseconds stopped) {
  Do([this, stopped] {
    workers_->Resume(stopped);
    dispatch_->Resume(stopped);
  });
}

void WorkerPool::Look(const std::function<void(const std::vector<SpawnRecord>&)>& look) {
  if (Do([&] { look(workers_->records()); })) return;
  const std::lock_guard lock(closing_);
  if (thread_.joinable()) thread_.join();  // it is about to end
  look(workers_->records());
}

std::vector<SpawnRecord> WorkerPool::Records() {
  std::vector<SpawnRecord> records;
  Look([&](const std::vector<SpawnRecord>& all) { records = all; });
  return records;
}

void WorkerPool::Close() {
  const std::lock_guard lock(closing_);
  if (!thread_.joinable()) return;
  Post([this] { quit_ = true; });
  thread_.join();
}

void WorkerPool::ThreadMain() {
  // Signals are the program's business, not this thread's; a write to a worker that has died is an
  // error code.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  try {
    workers_ = std::make_unique<ProcessWorkers>(
        ProcessWorkersOptions{.slots = options_.procs,
                              .transport = transport_,
                              .program = options_.worker_program,
                              .spawn = FindSpawnMethod(options_.spawn),
                              .spin = SpinOf(wait_mode_),
                              .ready_deadline = options_.ready_deadline,
                              .log_level = options_.log_level,
                              .initializer = options_.initializer,
                              .memory_limit = options_.memory_limit,
                              .faults = options_.faults});
    dispatch_ = std::make_unique<Dispatch>(
        *workers_, RestartLimit(options_.max_restarts, options_.restart_window));
  } catch (...) {
    start_error_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    is_started_ = true;
  }
  started_.notify_one();
  if (start_error_) return;
  while (!quit_) dispatch_->Turn(Deadline::Far());
  dispatch_->EndJobs();
  workers_->StopAll(options_.grace);
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  workers_->RunPosted();
}

}  // namespace procpool
