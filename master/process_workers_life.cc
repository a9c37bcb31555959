// The lives of the workers: spawned, ready in time, suspended, stopped, reaped.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

#include <procpool/error.h>
#include "common/log.h"
#include "master/process_workers.h"
#include "master/worker_slot.h"

namespace procpool {
namespace {

namespace asio = boost::asio;

constexpr Nanoseconds kStartingGrace = 250 * kMillisecond;  // at the end, for those not yet ready

// Each worker takes up to five descriptors here; the soft limit of a login (1024) would end at
// about 200.
unsigned long RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const unsigned long original = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? original : 0;
}

// Name, a zero byte, length of the context (8 bytes), context, input.
std::vector<std::byte> InitPayload(const Initializer& initializer) {
  std::vector<std::byte> payload;
  const auto append = [&payload](std::span<const std::byte> bytes) {
    payload.insert(payload.end(), bytes.begin(), bytes.end());
  };
  const std::string& task = initializer.task;
  append(std::as_bytes(std::span(task.c_str(), task.size() + 1)));
  const std::uint64_t context_bytes = initializer.context.size();
  append(std::as_bytes(std::span(&context_bytes, 1)));
  append(initializer.context);
  append(initializer.input);
  return payload;
}

}  // namespace

ProcessWorkers::ProcessWorkers(ProcessWorkersOptions options)
    : options_(std::move(options)), loop_(std::make_unique<Loop>()) {
  original_fd_limit_ = RaiseDescriptorLimit();
  if (!options_.initializer.task.empty()) initializer_ = InitPayload(options_.initializer);
  Resize(options_.slots);
}

ProcessWorkers::~ProcessWorkers() {
  for (const auto& slot : slots_) slot->StopWatching();
}

// ---- spawning

void ProcessWorkers::Spawn(std::size_t worker) {
  Slot& slot = *slots_[worker];
  SpawnRecord record;
  record.slot = worker;
  record.spawned = Now();

  slot.region_ids.clear();
  slot.process.emplace(SetUpWorker({.transport = options_.transport,
                                    .workers = slots_.size(),
                                    .program = options_.program,
                                    .slot = worker,
                                    .life = slot.lives++,
                                    .faults = options_.faults,
                                    .spin = options_.spin,
                                    .log_level = options_.log_level,
                                    .fd_soft_limit = original_fd_limit_},
                                   slot, [this](const WorkerProcess::Command& command) {
                                     return WorkerProcess::Spawn(command, *options_.spawn);
                                   }));
  record.spawn_returned = Now();
  record.pid = slot.process->pid();
  slot.life = Life::kStarting;
  slot.told.clear();
  slot.to_forget.clear();
  slot.tasks_given = 0;
  slot.items_given = 0;
  slot.stop_sent = slot.initializing = slot.lied = false;
  slot.departure = Departure{};
  slot.departure.pid = record.pid;
  slot.departure.program = options_.program;
  slot.ready_by = Now() + options_.ready_deadline;
  slot.gone_by = 0;
  slot.record = records_.size();
  records_.push_back(std::move(record));

  slot.readable.assign(slot.channel->readable_fd());
  if (slot.channel->writable_fd() >= 0) slot.writable.assign(slot.channel->writable_fd());
  slot.ended.assign(slot.process->pidfd());
  slot.readable_now = true;  // looked at once; then it is watched
  const unsigned generation = slot.generation;
  slot.ended.async_wait(asio::posix::descriptor_base::wait_read,
                        [&slot, generation](const boost::system::error_code& error) {
                          if (slot.generation != generation) return;
                          // Whose end cannot be seen is ended: being reaped begins with that.
                          if (error) slot.departure.reason = "the system does not tell its end";
                          slot.ended_now = true;
                        });
}

bool ProcessWorkers::IsSpawnDue() const {
  const Nanoseconds now = Now();
  return std::ranges::any_of(
      slots_, [&](const auto& slot) { return slot->wants_spawn && slot->spawn_after <= now; });
}

// One at a time, so that the first workers compute while the others are still being spawned.
void ProcessWorkers::SpawnNext(WorkerEvents& events) {
  const Nanoseconds now = Now();
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    Slot& slot = *slots_[worker];
    if (!slot.wants_spawn || slot.spawn_after > now) continue;
    slot.wants_spawn = false;
    --to_spawn_;
    const std::size_t spawned = records_.size();
    try {
      Spawn(worker);
    } catch (const std::exception& exception) {
      slot.StopWatching();
      if (records_.size() > spawned) {  // it was there, but could not be watched
        records_.back().ended = Now();
        records_.back().exit = std::string("given up: ") + exception.what();
      }
      slot.process.reset();
      slot.channel.reset();
      slot.control.reset();
      slot.life = Life::kEmpty;
      // The user's mistake is the same for every worker; the machine's want leaves those that are
      // there.
      const auto* error = dynamic_cast<const Error*>(&exception);
      if ((error != nullptr && error->blame() == Blame::kUser) || alive() == 0) throw;
      events.OnSlotLost(worker, exception.what());
    }
    return;
  }
}

void ProcessWorkers::CheckDeadlines() {
  if (suspended_) return;
  const Nanoseconds now = Now();
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    Slot& slot = *slots_[worker];
    if (slot.life == Life::kStarting && !slot.initializing && now > slot.ready_by) {
      char seconds[32];  // NOLINT: a short number
      std::snprintf(seconds, sizeof seconds, "%g", Seconds(options_.ready_deadline));
      Kill(worker, std::string("it was not ready within ") + seconds + " s");
    }
    // One too many, and its channel was full when that was decided.
    if (slot.life == Life::kReady && worker >= wanted_) Stop(worker);
    if (slot.life != Life::kEmpty && slot.gone_by != 0 && now > slot.gone_by) {
      slot.gone_by = 0;
      Kill(worker, "it closed its channel and went on");
    }
  }
}

void ProcessWorkers::Reap(std::size_t worker, WorkerEvents& events) {
  Slot& slot = *slots_[worker];
  // What it left in its group goes first, so that nobody writes any more. Its number is still its
  // own: it is not reaped. Then its answers: what it did before it died counts.
  slot.process->SignalGroup(SIGKILL);
  Drain(worker, events);
  const std::optional<ProcessExit> exit = slot.process->TryReap();
  if (!exit) return;  // woken too early; ended_now stands, so it is tried again
  slot.StopWatching();
  Departure departure = std::move(slot.departure);
  departure.exit = *exit;
  if (!slot.lied) departure.working_on = WorkingOn(worker);
  SpawnRecord& record = records_[slot.record];
  record.ended = Now();
  const bool left_well = exit->kind == ProcessExit::Kind::kExited && exit->value == 0;
  // Where the kernel no longer tells how it ended, that it was told to is all there is to know.
  record.told_to_leave =
      departure.on_request && (left_well || exit->kind == ProcessExit::Kind::kUnknown);
  record.exit = departure.on_request && left_well ? "stopped" : exit->Text();
  record.faults = slot.mark->faults().Read();
  slot.far_opened();  // a worker that died at start leaves no queue names
  past_traffic_.sent += slot.channel->traffic().sent;
  past_traffic_.received += slot.channel->traffic().received;
  slot.channel.reset();
  slot.control.reset();
  slot.mark.reset();
  slot.process.reset();
  slot.life = Life::kEmpty;
  slot.gone_by = 0;
  events.OnGone(worker, departure);
}

// ---- the end

void ProcessWorkers::Suspend() {
  suspended_ = true;
  for (const auto& slot : slots_) {
    if (slot->process) slot->process->SignalGroup(SIGSTOP);
  }
}

void ProcessWorkers::Resume(Nanoseconds stopped) {
  suspended_ = false;
  for (const auto& slot : slots_) {
    slot->ready_by += stopped;
    slot->spawn_after += stopped;
    if (slot->gone_by != 0) slot->gone_by += stopped;
    if (slot->process) slot->process->SignalGroup(SIGCONT);
  }
}

void ProcessWorkers::KillAll() {
  for (std::size_t worker = 0; worker < slots_.size(); ++worker)
    Kill(worker, "the master was told to leave at once");
}

void ProcessWorkers::KillStarting() {
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    if (slots_[worker]->life == Life::kStarting) Kill(worker, "it was still starting at the end");
  }
}

void ProcessWorkers::StopAll(Nanoseconds grace) {
  // Whatever still arrives belongs to nobody.
  struct Nobody final : WorkerEvents {
    void OnReady(std::size_t) override {}
    void OnSent(std::size_t) override {}
    std::optional<std::span<std::byte>> PlaceFor(std::size_t, const FrameHeader&) override {
      return std::nullopt;
    }
    bool OnResult(std::size_t, const Frame&) override { return true; }
    bool OnFailed(std::size_t, const JobItem&, const std::string&, const std::string&) override {
      return true;
    }
    bool OnStepThrew(std::size_t, const JobItem&, std::uint64_t, const std::string&,
                     const std::string&) override {
      return true;
    }
    void OnGone(std::size_t, const Departure&) override {}
    void OnSlotLost(std::size_t, const std::string&) override {}
  } nobody;

  KeepEmpty();
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) Stop(worker);
  const Deadline still_starting = Deadline::After(kStartingGrace);
  for (const int signal : {0, SIGTERM, SIGKILL}) {
    if (alive() == 0) return;
    if (signal != 0) {
      Log(LogLevel::kWarning, std::to_string(alive()) + " worker(s) did not leave, sending " +
                                  std::string(SignalName(signal)));
      for (const auto& slot : slots_) {
        if (slot->process) slot->process->SignalGroup(signal);
      }
    }
    for (const Deadline deadline = Deadline::After(grace); alive() > 0 && !deadline.Passed();) {
      Wait(std::min(deadline, still_starting.Passed() ? deadline : still_starting), nobody);
      if (still_starting.Passed()) KillStarting();
    }
  }
}

}  // namespace procpool
