// The loop's side of ProcessWorkers: giving items, sending, sleeping, waking.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <map>
#include <utility>

#include "master/process_workers.h"
#include "master/worker_slot.h"

namespace procpool {
namespace {

namespace asio = boost::asio;

constexpr Nanoseconds kStalledRetry = 200 * kMillisecond;
constexpr Nanoseconds kSendRegionDeadline = 2 * kSecond;
constexpr Nanoseconds kLongestSleep = 10 * kSecond;
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

std::optional<GivenItem> ProcessWorkers::WorkingOn(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  const auto mark = slot.mark ? slot.mark->Read() : std::nullopt;
  if (!mark || !job_ || mark->job != job_->id) return std::nullopt;
  return GivenItem{mark->item, mark->attempt};
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

void ProcessWorkers::Replace(std::size_t worker) {
  Slot& slot = *slots_[worker];
  if (slot.life != Life::kEmpty || slot.wants_spawn) return;
  slot.wants_spawn = true;
  ++to_spawn_;
}

// ---- giving

void ProcessWorkers::BeginJob(const JobTicket& job) {
  job_ = job;
  times_ = LoopTimes{};
}

bool ProcessWorkers::HasUnsent(std::size_t worker) const {
  const Slot& slot = *slots_[worker];
  return slot.channel != nullptr && slot.channel->HasUnsent();
}

void ProcessWorkers::EndJob() {
  if (!job_) return;
  for (const auto& slot : slots_) {
    if (slot->life != Life::kReady || slot->job_sent != job_->id || slot->stop_sent) continue;
    OutFrame frame;
    frame.header.type = FrameType::kForget;
    frame.header.job = job_->id;
    static_cast<void>(
        slot->channel->Post(frame));  // a full channel: then the worker keeps one small object
  }
  // A worker that is being killed may still have the job's bytes to take in or to deliver.
  for (const auto& slot : slots_) {
    if (slot->life == Life::kDying && slot->channel != nullptr) slot->channel->Abandon();
  }
  job_.reset();
  FlushAll();
  ReleaseUnusedRegions();
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

bool ProcessWorkers::Give(std::size_t worker, const GivenItem& given, const ItemInput& input,
                          bool timed) {
  Slot& slot = *slots_[worker];
  const std::uint32_t task = TaskId(job_->task);
  if (slot.job_sent != job_->id) {
    std::vector<std::byte> payload(job_->task.size() + 1);
    std::memcpy(payload.data(), job_->task.data(), job_->task.size());
    payload.insert(payload.end(), job_->context.begin(), job_->context.end());
    OutFrame frame;
    frame.header.type = FrameType::kJob;
    frame.header.task = task;
    frame.header.job = job_->id;
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
    slot.job_sent = job_->id;
  }
  ShareBuffer(slot, input.input_buffer);
  ShareBuffer(slot, input.place_buffer);
  OutFrame frame;
  frame.header.type = FrameType::kItem;
  frame.header.flags = timed ? kTimed : 0;
  frame.header.task = task;
  frame.header.job = job_->id;
  frame.header.item = given.item;
  frame.header.attempt = given.attempt;
  frame.payload = input.input;
  frame.place = input.place;
  if (!slot.channel->Post(frame)) return false;
  ++slot.items_given;
  if (input.input.size() >= kSentAtOnce && !slot.writable_awaited) Flush(slot);
  return true;
}

std::uint64_t ProcessWorkers::ItemsGiven(std::size_t worker) const {
  return slots_[worker]->items_given;
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
}

void ProcessWorkers::Kill(std::size_t worker, const std::string& reason) {
  Slot& slot = *slots_[worker];
  if (slot.life == Life::kEmpty || slot.life == Life::kDying) return;
  slot.life = Life::kDying;
  slot.departure.reason = reason;
  slot.departure.on_request = false;
  slot.process->SignalGroup(SIGKILL);
}

// ---- waiting

void ProcessWorkers::FlushAll(WorkerEvents* events) {
  const bool timed = events != nullptr && job_ && job_->timed;
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
  if (status == IoStatus::kClosed && slot.gone_by == 0) slot.gone_by = Now() + kGoneAfterClosing;
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

bool ProcessWorkers::AnythingReadable() const {
  return std::ranges::any_of(
      slots_, [](const auto& slot) { return slot->readable_now || slot->ended_now; });
}

void ProcessWorkers::Sleep(Deadline deadline) {
  const Stopwatch stopwatch(job_ && job_->timed, times_.asleep);
  SleepOrSpin(deadline);
}

void ProcessWorkers::SleepOrSpin(Deadline deadline) {
  // Whatever ran may have changed what there is to do (room in a pipe, an action of another
  // thread), so any handler that ran ends the wait.
  if (loop_.poll() > 0) return;
  Nanoseconds wake = std::min(deadline.time(), Now() + kLongestSleep);
  for (const auto& slot : slots_) {
    if (slot->life == Life::kStarting && !suspended_) wake = std::min(wake, slot->ready_by);
    if (slot->gone_by != 0 && !suspended_) wake = std::min(wake, slot->gone_by);
    if (slot->channel != nullptr && slot->channel->Stalled())
      wake = std::min(wake, Now() + kStalledRetry);
  }
  // Room for what is unsent is announced by the bell only, so nobody spins then.
  const bool unsent = std::ranges::any_of(slots_, [](const auto& slot) {
    return slot->channel != nullptr && slot->channel->HasUnsent();
  });
  // Between two jobs nothing is worth a CPU.
  if (options_.spin > 0 && job_ && !unsent) {
    // Rings are looked at without a system call; the event loop, which costs one, is asked every so
    // many rounds.
    constexpr unsigned kRoundsPerPoll = 64;
    unsigned round = 0;
    for (const Nanoseconds end = std::min(Now() + options_.spin, wake); Now() < end; ++round) {
      for (const auto& slot : slots_) {
        if (slot->unwatched && slot->channel->Peek().value_or(false)) slot->readable_now = true;
      }
      if (round % kRoundsPerPoll == 0 && loop_.poll() > 0) return;
      if (AnythingReadable()) return;
    }
  }
  for (const auto& slot : slots_) {
    if (slot->unwatched) WatchUnlessReadable(*slot);
  }
  if (AnythingReadable()) return;
  const Nanoseconds left = wake - Now();
  if (left <= 0) return;
  loop_.run_one_for(std::chrono::nanoseconds(left));
  loop_.poll();
  for (const auto& slot : slots_) {
    if (slot->channel != nullptr && slot->channel->Stalled()) slot->readable_now = true;
  }
}

void ProcessWorkers::Wait(Deadline deadline, WorkerEvents& events) {
  FlushAll(&events);
  const bool timed = job_ && job_->timed;
  if (to_spawn_ > 0 && !suspended_) {
    const Stopwatch stopwatch(timed, times_.spawn);
    SpawnNext(events);
    loop_.poll();
  } else if (AnythingReadable()) {
    loop_.poll();  // so that one busy worker hides neither deaths nor actions of other threads
  } else {
    Sleep(deadline);
  }
  for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
    if (slots_[worker]->readable_now && slots_[worker]->channel != nullptr) {
      const Stopwatch stopwatch(timed, times_.receive);
      ReceiveFrom(worker, events);
    }
    if (slots_[worker]->ended_now) Reap(worker, events);
  }
  CheckDeadlines();
}

void ProcessWorkers::Post(std::function<void()> action) {
  asio::post(loop_, std::move(action));
}

}  // namespace procpool
