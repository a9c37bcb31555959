#include "master/pool.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <future>
#include <utility>

#include "common/error.h"
#include "common/host.h"

namespace procpool {
namespace {

constexpr std::array kWaitModes{std::pair{WaitMode::kAuto, std::string_view("auto")},
                                std::pair{WaitMode::kSpin, std::string_view("spin")},
                                std::pair{WaitMode::kHybrid, std::string_view("hybrid")},
                                std::pair{WaitMode::kPark, std::string_view("park")}};
// A hybrid wait spins for about as long as a wake-up by the scheduler takes.
constexpr Nanoseconds kHybridSpin = 50 * kMicrosecond;
constexpr Nanoseconds kLongSpin = 60 * kSecond;

// Between jobs: who dies is replaced; nothing else can arrive.
class IdleEvents final : public WorkerEvents {
 public:
  explicit IdleEvents(ProcessWorkers& workers) : workers_(workers) {}
  void OnReady(std::size_t) override {}
  void OnSent(std::size_t) override {}
  std::optional<std::span<std::byte>> PlaceFor(std::size_t, const FrameHeader&) override {
    return std::nullopt;
  }
  bool OnResult(std::size_t, const Frame&) override { return false; }
  bool OnFailed(std::size_t, const GivenItem&, const std::string&, const std::string&) override {
    return false;
  }
  void OnGone(std::size_t worker, const Departure& departure) override {
    spdlog::info("worker {} (pid {}) {}{}{} between jobs", worker, departure.pid,
                 departure.exit.Text(), departure.reason.empty() ? "" : ", because ",
                 departure.reason);
    // Workers that cannot start, or die again and again with nothing to do, are left to the next
    // job, which reports them to its caller.
    if (departure.was_ready && ++deaths_ <= 3 * workers_.slots()) workers_.Replace(worker);
  }
  void OnSlotLost(std::size_t, const std::string& error) override { spdlog::warn("{}", error); }

 private:
  ProcessWorkers& workers_;
  std::size_t deaths_ = 0;
};

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
                             "build it beside master, or give another one with --worker PATH"});
}

Pool::Pool(PoolOptions options)
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

Pool::~Pool() {
  Close();
}

Buffer Pool::Allocate(std::size_t bytes, std::string_view what) {
  RequireMemory(bytes, what);
  if (!transport_->shares_memory || bytes == 0) return Buffer::Private(bytes);
  return Buffer::Shared(next_region_++,
                        std::make_shared<SharedRegion>(SharedRegion::Create(bytes)));
}

void Pool::Do(const std::function<void()>& action) {
  // Shared, for the thread may still be inside set_value() when this function has returned.
  const auto done = std::make_shared<std::promise<void>>();
  {
    // Once the thread is about to end nobody would run the action; what was posted before is still
    // run by it.
    const std::lock_guard lock(mutex_);
    if (is_ending_) return;
    workers_->Post([&action, done] {
      try {
        action();
        done->set_value();
      } catch (...) {
        done->set_exception(std::current_exception());
      }
    });
  }
  done->get_future().get();
}

bool Pool::WaitUntilReady(Deadline deadline) {
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

bool Pool::CanBecomeReady() {
  bool all = true;
  Do([&] { all = workers_->alive() == workers_->slots(); });
  return all;
}

JobReport Pool::Run(Job& job, const JobOptions& options) {
  const auto promise = std::make_shared<std::promise<JobReport>>();  // shared: see Do()
  items_done_ = 0;
  std::unique_lock lock(mutex_);
  if (is_ending_) {
    throw Error(Blame::kUser, {"run", "job", "the pool is closed", "start another pool"});
  }
  // The job runs on the thread, outside the event loop's handlers, for it drives that loop itself.
  workers_->Post([this, &job, options, promise] {
    next_ = [this, &job, options, promise] {
      try {
        promise->set_value(RunHere(job, options));
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    };
  });
  lock.unlock();
  return promise->get_future().get();
}

JobReport Pool::RunHere(Job& job, const JobOptions& options) {
  Dispatch dispatch(*workers_, job, options, &items_done_);
  struct Running {
    Running(Dispatch*& slot, Dispatch* dispatch) : slot_(slot) { slot_ = dispatch; }
    ~Running() { slot_ = nullptr; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    Dispatch*& slot_;
  } running(running_, &dispatch);
  if (std::exchange(interrupt_next_, false)) dispatch.Interrupt();
  JobReport report = dispatch.Run();
  tallies_ = dispatch.tallies();
  return report;
}

void Pool::Interrupt() {
  workers_->Post([this] {
    interrupt_next_ = running_ == nullptr;
    if (running_ != nullptr) running_->Interrupt();
  });
}

void Pool::Abort() {
  workers_->Post([this] {
    interrupt_next_ = running_ == nullptr;
    if (running_ != nullptr) running_->Abort();
    workers_->KillAll();
  });
}

void Pool::Suspend() {
  Do([this] {
    workers_->Suspend();
    if (running_ != nullptr) running_->Suspend();
  });
}

void Pool::Resume(Nanoseconds stopped) {
  Do([this, stopped] {
    workers_->Resume(stopped);
    if (running_ != nullptr) running_->Resume(stopped);
  });
}

std::vector<SpawnRecord> Pool::Records() {
  if (!thread_.joinable()) return workers_->records();  // closed: the thread is gone
  std::vector<SpawnRecord> records;
  Do([&] { records = workers_->records(); });
  return records;
}

void Pool::Close() {
  if (!thread_.joinable()) return;
  workers_->Post([this] { quit_ = true; });
  thread_.join();
}

void Pool::ThreadMain() {
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
                              .log_level = options_.log_level});
  } catch (...) {
    start_error_ = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    is_started_ = true;
  }
  started_.notify_one();
  if (!start_error_) Idle();
}

// What the thread does when no job runs: wait for one, and look after the workers.
void Pool::Idle() {
  auto events = std::make_unique<IdleEvents>(*workers_);
  while (!quit_) {
    if (next_) {
      const std::function<void()> job = std::exchange(next_, nullptr);
      job();
      events = std::make_unique<IdleEvents>(*workers_);
      continue;
    }
    try {
      workers_->Wait(Deadline::Far(), *events);
    } catch (const std::exception& exception) {
      // Spawning failed between jobs. The next job tries again and reports it to its caller.
      spdlog::debug("{}", exception.what());
    }
  }
  workers_->StopAll(options_.grace);
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  workers_->RunPosted();
}

}  // namespace procpool
