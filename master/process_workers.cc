// The loop's side of ProcessWorkers: giving items, sending, sleeping, waking.

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "common/host.h"
#include "common/log.h"
#include "master/process_workers.h"
#include "master/worker_slot.h"

namespace procpool {
namespace {

namespace asio = boost::asio;

constexpr Nanoseconds kStalledRetry = 200 * kMillisecond;
constexpr Nanoseconds kSendRegionDeadline = 2 * kSecond;
constexpr Nanoseconds kLongestSleep = kSecond;            // then all channels are looked at
constexpr Nanoseconds kMemoryChecks = 20 * kMillisecond;  // at most so often
// An input of this size is sent before the next one is made.
constexpr std::size_t kSentAtOnce = std::size_t{32} * 1024;

// Adds the wall time of its own life; nothing where it is not wanted.
class Stopwatch {
 public:
  Stopwatch(bool wanted, Nanoseconds& sum) : sum_(wanted ? &sum : nullptr) {
    if (wanted) begun_ = Now();
  }
  ~Stopwatch() {
    if (sum_ != nullptr) *sum_ += Now() - begun_;
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Nanoseconds* sum_;
  Nanoseconds begun_ = 0;
};

}  // namespace

bool ProcessWorkers::CanTake(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  return slot.life == Life::kReady && !slot.stop_sent && slot.gone_by == 0 && !suspended_;
}

bool ProcessWorkers::IsReady(std::size_t worker) const {
  return slots_[worker]->life == Life::kReady;
}

std::optional<BegunItem> ProcessWorkers::WorkingOn(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  const auto mark = slot.mark ? slot.mark->Read() : std::nullopt;
  if (!mark) return std::nullopt;
  return BegunItem{{mark->job, {mark->item, mark->attempt}}, mark->step, mark->begun};
}

Nanoseconds ProcessWorkers::ReadySince(std::size_t worker) const {
  return records_[slots_[worker]->record].ready;
}

std::size_t ProcessWorkers::record(std::size_t worker) const {
  return slots_[worker]->record;
}

std::size_t ProcessWorkers::alive() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      slots_, [](const auto& slot) { return slot->life != Life::kEmpty || slot->wants_spawn; }));
}

void ProcessWorkers::Replace(std::size_t worker, Nanoseconds earliest) {
  Slot& slot = *slots_[worker];
  if (worker >= wanted_ || slot.life != Life::kEmpty) return;
  slot.spawn_after = earliest;
  if (!std::exchange(slot.wants_spawn, true)) ++to_spawn_;
}

void ProcessWorkers::KeepEmpty() {
  for (const auto& slot : slots_) slot->wants_spawn = false;
  to_spawn_ = 0;
}

void ProcessWorkers::Resize(std::size_t workers) {
  wanted_ = workers;
  while (slots_.size() < workers) slots_.push_back(std::make_unique<Slot>(*loop_));
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    if (worker < workers) {
      Replace(worker);
    } else if (std::exchange(slots_[worker]->wants_spawn, false)) {
      --to_spawn_;
    } else {
      Stop(worker);
    }
  }
}

pid_t ProcessWorkers::pid(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  return slot.process ? slot.process->pid() : -1;
}

// ---- giving

void ProcessWorkers::BeginJob(const JobTicket& job) {
  jobs_[job.id] = {.timed = job.timed, .is_heavy = job.context.size() > kSmallPayload};
  if (job.timed) ++timed_jobs_;
}

bool ProcessWorkers::HasUnsent(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  return slot.channel != nullptr && slot.channel->HasUnsent();
}

void ProcessWorkers::EndJob(std::uint32_t job) {
  const auto ended = jobs_.find(job);
  if (ended == jobs_.end()) return;
  const ActiveJob was = ended->second;
  jobs_.erase(ended);
  if (was.timed) --timed_jobs_;
  for (const auto& slot : slots_) {
    // A light one is forgotten with the next item's frame, so that nobody is woken for it.
    if (slot->told.erase(job) > 0) slot->to_forget.push_back(job);
    if (was.is_heavy && slot->life == Life::kReady && !slot->stop_sent) PostForgets(*slot);
    // A worker that is being killed may still have the job's bytes to take in or to deliver.
    if (slot->life == Life::kDying && slot->channel != nullptr) slot->channel->Abandon();
  }
  if (was.is_heavy) FlushAll();
  ReleaseUnusedRegions();
}

// Where the channel is full they are tried again with the next item.
void ProcessWorkers::PostForgets(Slot& slot) {
  while (!slot.to_forget.empty()) {
    OutFrame frame;
    frame.header.type = FrameType::kForget;
    frame.header.job = slot.to_forget.back();
    if (!slot.channel->Post(frame)) return;
    slot.to_forget.pop_back();
  }
}

// A region that only the workers' tables still hold has no owner any more.
void ProcessWorkers::ReleaseUnusedRegions() {
  std::map<std::uint32_t, long> holders;
  for (const auto& slot : slots_) {
    for (const std::uint32_t id : slot->region_ids) ++holders[id];
  }
  for (const auto& slot : slots_) {
    std::erase_if(slot->region_ids, [&](std::uint32_t id) {
      const std::shared_ptr<SharedRegion> region = slot->regions.Find(id);
      if (region.use_count() - 1 > holders[id]) return false;
      // A worker that does not read just now is told at the end of a later job.
      if (slot->control && !slot->control->SendForget(id, Deadline::After(0))) return false;
      slot->regions.Remove(id);
      slot->to_forget.push_back(0);
      --holders[id];
      return true;
    });
  }
}

void ProcessWorkers::ShareBuffer(Slot& slot, const Buffer* buffer) {
  if (buffer == nullptr || buffer->region_id() == 0 ||
      slot.regions.Find(buffer->region_id()) != nullptr)
    return;
  if (!slot.control->SendRegion(buffer->region_id(), *buffer->region(),
                                Deadline::After(kSendRegionDeadline)))
    return;
  slot.regions.Add(buffer->region_id(), buffer->region());
  slot.region_ids.push_back(buffer->region_id());
}

// The worker learns what the job is.
bool ProcessWorkers::Tell(std::size_t worker, const JobTicket& job) {
  Slot& slot = *slots_[worker];
  std::vector<std::byte> payload(job.task.size() + 1);
  std::memcpy(payload.data(), job.task.data(), job.task.size());
  payload.insert(payload.end(), job.context.begin(), job.context.end());
  OutFrame frame;
  frame.header.type = FrameType::kJob;
  frame.header.task = job.task_id;
  frame.header.job = job.id;
  frame.payload = payload;
  if (!slot.channel->Post(frame)) return false;
  // A context too long to be copied by Post() is sent before it goes out of scope here. The wait
  // used the bell, so the channel is looked at once before it is slept on again.
  if (payload.size() > kSmallPayload) {
    const IoStatus sent = slot.channel->FlushBefore(Deadline::After(kSendRegionDeadline));
    slot.readable_now = true;
    if (sent != IoStatus::kDone) {
      slot.channel->Abandon();
      Kill(worker, "it does not take in the job's description");
      return false;
    }
  }
  slot.told.insert(job.id);
  return true;
}

bool ProcessWorkers::Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
                          const ItemInput& input) {
  Slot& slot = *slots_[worker];
  PostForgets(slot);
  if (!slot.told.contains(job.id) && !Tell(worker, job)) return false;
  ShareBuffer(slot, input.input_buffer);
  ShareBuffer(slot, input.place_buffer);
  for (const Buffer& buffer : input.shared) ShareBuffer(slot, &buffer);
  OutFrame frame;
  frame.header.type = FrameType::kItem;
  frame.header.flags = static_cast<std::uint8_t>(
      (job.timed ? kTimed : 0) | (job.watched ? kWatched : 0) | (job.together ? kTogether : 0));
  frame.header.task = job.task_id;
  frame.header.job = job.id;
  frame.header.item = given.item;
  frame.header.attempt = given.attempt;
  frame.payload = input.input;
  frame.place = input.place;
  if (!slot.channel->Post(frame)) return false;
  slot.tasks_given += input.tasks;
  ++slot.items_given;
  if (input.input.size() >= kSentAtOnce && !slot.writable_awaited) Flush(slot);
  return true;
}

std::uint64_t ProcessWorkers::TasksGiven(std::size_t worker) const {
  return slots_[worker]->tasks_given;
}

std::uint64_t ProcessWorkers::ItemsGiven(std::size_t worker) const {
  return slots_[worker]->items_given;
}

bool ProcessWorkers::Revoke(std::size_t worker, std::uint64_t number) {
  Slot& slot = *slots_[worker];
  // A part of a result has come, and the rest will be written where it belongs: then nothing is
  // taken back, even if the worker denies that it has begun that item.
  if (slot.life != Life::kReady || slot.channel->IsInPayload()) return false;
  if (!slot.mark->revocations().Revoke(number)) return false;
  // The item still goes to the worker, which leaves it out; its memory is somebody else's now.
  slot.channel->KeepUnsent();
  return true;
}

Traffic ProcessWorkers::TotalTraffic() const {
  Traffic total = past_traffic_;
  for (const auto& slot : slots_) {
    if (slot->channel == nullptr) continue;
    total.sent += slot->channel->traffic().sent;
    total.received += slot->channel->traffic().received;
  }
  return total;
}

void ProcessWorkers::Stop(std::size_t worker) {
  Slot& slot = *slots_[worker];
  if (slot.life == Life::kEmpty || slot.stop_sent) return;
  OutFrame frame;
  frame.header.type = FrameType::kStop;
  slot.stop_sent = slot.channel->Post(frame);
  slot.departure.on_request = slot.stop_sent;
  if (slot.stop_sent) records_[slot.record].stop_sent = Now();
}

// A worker that has grown too large is replaced once it has answered what it has. What it shares
// with others does not count: that would not go with it.
void ProcessWorkers::CheckMemory(std::size_t worker) {
  Slot& slot = *slots_[worker];
  if (options_.memory_limit == 0 || slot.life != Life::kReady || slot.stop_sent) return;
  const Nanoseconds now = Now();
  if (now < slot.memory_checked + kMemoryChecks) return;
  slot.memory_checked = now;
  const std::uint64_t resident = PrivateResidentBytes(slot.process->pid());
  if (resident <= options_.memory_limit) return;
  Log(LogLevel::kInfo, "worker " + std::to_string(worker) + " (pid " +
                           std::to_string(slot.process->pid()) + ") has " +
                           std::to_string(resident / 1'000'000) +
                           " MB of its own, above the limit: it is replaced");
  Stop(worker);
}

void ProcessWorkers::Kill(std::size_t worker, const std::string& reason) {
  Slot& slot = *slots_[worker];
  if (slot.life == Life::kEmpty || slot.life == Life::kDying) return;
  slot.life = Life::kDying;
  slot.departure.reason = reason;
  slot.departure.on_request = false;
  slot.process->SignalGroup(SIGKILL);
}

// What it sent is at fault, which is the answer that was due next: what it has begun meanwhile says
// nothing of that.
void ProcessWorkers::KillLiar(std::size_t worker, const std::string& reason) {
  Kill(worker, reason);
  slots_[worker]->lied = true;
}

// ---- waiting

void ProcessWorkers::FlushAll(WorkerEvents* events) {
  const bool timed = events != nullptr && timed_jobs_ > 0;
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    Slot& slot = *slots_[worker];
    if (slot.channel == nullptr || !slot.channel->HasUnsent() || slot.writable_awaited) continue;
    const Stopwatch stopwatch(timed, times_.send);
    Flush(slot);
    if (timed && !slot.channel->HasUnsent()) events->OnSent(worker);
  }
}

void ProcessWorkers::Flush(Slot& slot) {
  const IoStatus status = slot.channel->Flush();
  if (status == IoStatus::kBroken) slot.readable_now = true;  // receiving says why, and acts
  if (status == IoStatus::kClosed) slot.ChannelClosed();
  if (status != IoStatus::kBlocked) return;
  if (slot.writable.is_open()) {
    slot.writable_awaited = true;
    const unsigned generation = slot.generation;
    slot.writable.async_wait(asio::posix::descriptor_base::wait_write,
                             [&slot, generation](const boost::system::error_code&) {
                               if (slot.generation == generation) slot.writable_awaited = false;
                             });
  } else if (!slot.channel->Arm()) {
    slot.readable_now = true;  // room is announced through the same doorbell
  }
}

// So many at most: other threads may post actions as fast as they are run.
std::size_t ProcessWorkers::Poll() {
  constexpr std::size_t kMostAtOnce = 64;
  std::size_t ran = 0;
  while (ran < kMostAtOnce && loop_->context.poll_one() > 0) ++ran;
  return ran;
}

bool ProcessWorkers::AnythingReadable() const {
  return std::ranges::any_of(
      slots_, [](const auto& slot) { return slot->readable_now || slot->ended_now; });
}

void ProcessWorkers::Sleep(Deadline deadline, const WorkerEvents& events) {
  const Stopwatch stopwatch(timed_jobs_ > 0, times_.asleep);
  SleepOrSpin(deadline, events);
}

void ProcessWorkers::SleepOrSpin(Deadline deadline, const WorkerEvents& events) {
  // Whatever ran may have changed what there is to do (room in a pipe, an action of another
  // thread), so any handler that ran ends the wait.
  if (Poll() > 0) return;
  Nanoseconds wake = std::min(deadline.time(), Now() + kLongestSleep);
  for (const auto& slot : slots_) {
    if (slot->life == Life::kStarting && !slot->initializing && !suspended_)
      wake = std::min(wake, slot->ready_by);
    if (slot->gone_by != 0 && !suspended_) wake = std::min(wake, slot->gone_by);
    if (slot->wants_spawn && !suspended_) wake = std::min(wake, slot->spawn_after);
    if (slot->channel != nullptr && slot->channel->Stalled())
      wake = std::min(wake, Now() + kStalledRetry);
  }
  // Room for what is unsent is announced by the bell only, so nobody spins then.
  const bool unsent = std::ranges::any_of(slots_, [](const auto& slot) {
    return slot->channel != nullptr && slot->channel->HasUnsent();
  });
  // With nothing to do nothing is worth a CPU.
  if (options_.spin > 0 && events.AnswerDue() && !unsent) {
    // Rings are looked at without a system call; the event loop, which costs one, is asked every so
    // many rounds.
    constexpr unsigned kRoundsPerPoll = 64;
    unsigned round = 0;
    for (const Nanoseconds end = std::min(Now() + options_.spin, wake); Now() < end; ++round) {
      for (const auto& slot : slots_) {
        if (slot->unwatched && slot->channel->Peek().value_or(false)) slot->readable_now = true;
      }
      if (round % kRoundsPerPoll == 0 && Poll() > 0) return;
      if (AnythingReadable()) return;
    }
  }
  for (const auto& slot : slots_) {
    if (slot->unwatched) WatchUnlessReadable(*slot);
  }
  if (AnythingReadable()) return;
  const Nanoseconds left = wake - Now();
  if (left <= 0) return;
  const bool woken = loop_->context.run_one_for(std::chrono::nanoseconds(left)) > 0;
  Poll();
  // A doorbell that a worker could not ring costs a second, not the job.
  for (const auto& slot : slots_) {
    if (slot->channel != nullptr && (!woken || slot->channel->Stalled())) slot->readable_now = true;
  }
}

void ProcessWorkers::Wait(Deadline deadline, WorkerEvents& events) {
  FlushAll(&events);
  const bool timed = timed_jobs_ > 0;
  if (to_spawn_ > 0 && !suspended_ && IsSpawnDue()) {
    const Stopwatch stopwatch(timed, times_.spawn);
    SpawnNext(events);
    Poll();
  } else if (AnythingReadable()) {
    Poll();  // so that one busy worker hides neither deaths nor actions of other threads
  } else {
    Sleep(deadline, events);
  }
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    if (slots_[worker]->readable_now && slots_[worker]->channel != nullptr) {
      const Stopwatch stopwatch(timed, times_.receive);
      ReceiveFrom(worker, events);
      CheckMemory(worker);
    }
    if (slots_[worker]->ended_now) Reap(worker, events);
  }
  CheckDeadlines();
}

void ProcessWorkers::Post(std::function<void()> action) {
  asio::post(loop_->context, std::move(action));
}

void ProcessWorkers::RunPosted() {
  loop_->context.poll();
}

}  // namespace procpool
