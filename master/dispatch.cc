#include "master/dispatch.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

#include <procpool/error.h>
#include "common/logger.h"

namespace procpool {
namespace {

// Who has been at an item for so long keeps nothing behind it while another worker has nothing.
constexpr Nanoseconds kMoveAfter = 200 * kMicrosecond;
// Where nothing could be moved it is tried again, less and less often.
constexpr Nanoseconds kSeldom = 10 * kMillisecond;
// What a cancelled item may still take: ending a worker and making another one takes as long.
constexpr Nanoseconds kCancelGrace = 2 * kMillisecond;
// Give up on workers that die at start after so many in a row.
constexpr unsigned kMostStartFailures = 3;

}  // namespace

// ---- jobs

std::uint32_t Dispatch::NextId() {
  do {
    ++last_id_;
  } while (last_id_ == 0 || jobs_.contains(last_id_));  // 0 names no job
  return last_id_;
}

bool Dispatch::Idle() const {
  return std::ranges::none_of(jobs_, [](const auto& job) { return job.second->run.Unfinished(); });
}

void Dispatch::LeaveIdleness() {
  any_ready_ = false;
  start_failures_ = 0;
  fruitless_deaths_ = 0;
  idle_deaths_ = 0;
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker)
    any_ready_ = any_ready_ || workers_.IsReady(worker);
}

std::uint32_t Dispatch::Begin(Job& job, const JobOptions& options, JobEnded ended,
                              std::atomic<std::uint64_t>* items_done) {
  if (Idle()) LeaveIdleness();
  const std::uint32_t id = NextId();
  // In place, for a run refers to what it is made of and does not move.
  std::unique_ptr<Entry> made(new Entry{.run{id, workers_, job, options, items_done},
                                        .ended = std::move(ended),
                                        .waited_before = waited_});
  Entry& entry = *made;
  jobs_.emplace(id, std::move(made));
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    workers_.Replace(worker);
    if (workers_.IsReady(worker)) entry.run.WorkerReady(worker, workers_.ReadySince(worker));
  }
  Open(entry);
  SettleSoon(entry);  // it may have no items at all
  return id;
}

void Dispatch::Grown(std::uint32_t job) {
  Entry* const entry = Find(job);
  if (entry == nullptr) return;
  const bool was_idle = Idle();
  Guard(*entry, [&] {
    if (!entry->run.Grow()) return;
    if (was_idle) LeaveIdleness();
    ReplaceAll();
  });
  Open(*entry);
  SettleSoon(*entry);
}

void Dispatch::Cancel(std::uint32_t job) {
  Entry* const entry = Find(job);
  if (entry == nullptr) return;
  entry->run.Cancel(kCancelGrace);
  RevokeAll(*entry);
  SettleSoon(*entry);
}

void Dispatch::CancelItem(std::uint32_t job, std::uint64_t item) {
  Entry* const entry = Find(job);
  if (entry == nullptr) return;
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    std::deque<LaneItem>& given = lanes_[worker].given;
    const auto found = std::ranges::find_if(given, [&](const LaneItem& candidate) {
      return candidate.job == job && candidate.given.item == item;
    });
    if (found == given.end()) continue;
    if (!Revoke(worker, static_cast<std::size_t>(found - given.begin()))) {
      if (found->cancelled_at == 0) found->cancelled_at = Now();
      return;
    }
    break;
  }
  Drop(*entry, item);
}

// An item that waits is given up: nobody wants it any more.
void Dispatch::Drop(Entry& entry, std::uint64_t item) {
  Guard(entry, [&] { entry.run.DropItem(item); });
  SettleSoon(entry);
}

void Dispatch::Resize(std::size_t workers) {
  workers_.Resize(workers);
  while (lanes_.size() < workers_.slots()) {
    lanes_.emplace_back();
    for (const auto& [id, entry] : jobs_) entry->run.AddWorker();
  }
  for (std::size_t worker = workers; worker < workers_.slots(); ++worker) {
    for (const auto& [id, entry] : jobs_) entry->run.ReleaseShare(worker);
  }
}

void Dispatch::ReplaceAll() {
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) workers_.Replace(worker);
}

Dispatch::Entry* Dispatch::Find(std::uint32_t job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : found->second.get();
}

// `act` must not assign what a function returns through memory to something outside: GCC 12 lets
// the function write there directly, takes what stood there before for overwritten, and leaves that
// out; if the function then throws, anything may stand there.
template <typename Act>
bool Dispatch::Guard(Entry& entry, const Act& act) {
  try {
    act();
    return true;
  } catch (...) {
    if (!entry.thrown) entry.thrown = std::current_exception();
    entry.run.Abort();
    SettleSoon(entry);
    return false;
  }
}

void Dispatch::Open(Entry& entry) {
  if (entry.open || !entry.run.WantsAnybody()) return;
  entry.open = true;
  open_.push_back(&entry);
}

// What came back is older than anything that was never given.
void Dispatch::Reopen(Entry& entry) {
  if (entry.open || !entry.run.WantsAnybody()) return;
  entry.open = true;
  open_.push_front(&entry);
}

void Dispatch::SettleSoon(Entry& entry) {
  if (!std::exchange(entry.settle, true)) settle_.push_back(&entry);
}

void Dispatch::Settle() {
  while (!settle_.empty()) {
    Entry& entry = *settle_.back();
    settle_.pop_back();
    entry.settle = false;
    bool finished = entry.thrown != nullptr;
    if (!finished && !Guard(entry, [&] { finished = entry.run.Finished(); })) continue;
    if (finished) {
      End(entry);
    } else if (entry.run.WantsAnybody()) {
      Reopen(entry);
      // Who left when everything seemed to be done was not replaced.
      ReplaceAll();
    }
  }
}

void Dispatch::End(Entry& entry) {
  const std::uint32_t id = entry.run.id();
  RevokeAll(entry);
  if (entry.open) std::erase(open_, &entry);
  for (Lane& lane : lanes_) {
    // Who still has an item of it is killed with it; no other job is to blame for that.
    if (std::erase_if(lane.given, [&](const JobItem& item) { return item.job == id; }) > 0)
      lane.killed = Lane::Killed::kCancelled;
  }
  JobReport report;
  if (!entry.thrown) report = entry.run.Report(waited_ - entry.waited_before);
  const JobEnded ended = std::move(entry.ended);
  const std::exception_ptr thrown = entry.thrown;
  jobs_.erase(id);
  ended(std::move(report), thrown);
}

void Dispatch::EndAll(const std::exception_ptr& error) {
  for (const auto& [id, entry] : jobs_) {
    if (!entry->thrown) entry->thrown = error;
    SettleSoon(*entry);
  }
}

void Dispatch::Interrupt() {
  for (const auto& [id, entry] : jobs_) {
    entry->run.Interrupt();
    SettleSoon(*entry);
  }
}

void Dispatch::Abort() {
  for (const auto& [id, entry] : jobs_) {
    entry->run.Abort();
    SettleSoon(*entry);
  }
}

void Dispatch::EndJobs() {
  Abort();
  Settle();
}

void Dispatch::Resume(Nanoseconds stopped) {
  suspended_ = false;
  const Nanoseconds stopped_at = Now() - stopped;
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    Lane& lane = lanes_[worker];
    lane.oldest_since += stopped;
    // The worker's word on when its step began does not know that it was stopped.
    const std::optional<BegunItem> begun = workers_.WorkingOn(worker);
    if (begun && !lane.given.empty() && begun->item == lane.given.front() &&
        begun->begun <= stopped_at)
      lane.step_since = std::max(lane.step_since, begun->begun);
    if (lane.step_since != 0) lane.step_since += stopped;
  }
  for (const auto& [id, entry] : jobs_) entry->run.Resume(stopped);
}

void Dispatch::Turn(Deadline deadline) {
  Settle();
  GiveOut();
  if (Rebalance()) GiveOut();
  const Nanoseconds before = Now();
  try {
    workers_.Wait(std::min(deadline, NextDeadline()), *this);
  } catch (const std::exception& exception) {
    // Spawning failed. With nothing to do that is left to the next item, which has it tried again.
    if (Idle()) {
      Log().debug("{}", exception.what());
    } else {
      EndAll(std::current_exception());
    }
  }
  waited_ += Now() - before;
  CheckDeadlines();
  Settle();
}

// ---- step 1

// Level by level, so that no worker has its second item before every other one has its first.
void Dispatch::GiveOut() {
  for (std::size_t level = 0; !open_.empty();) {
    bool gave = false;
    std::size_t next_level = std::numeric_limits<std::size_t>::max();
    for (std::size_t worker = 0; worker < workers_.slots() && !open_.empty(); ++worker) {
      if (!workers_.CanTake(worker)) continue;
      const std::size_t has = lanes_[worker].given.size();
      if (has > level) {
        next_level = std::min(next_level, has);
      } else if (GiveOne(worker)) {
        gave = true;
      }
    }
    if (gave) continue;
    if (next_level == std::numeric_limits<std::size_t>::max()) return;
    level = next_level;
  }
}

// From the first job that has something for this worker and lets it have as much.
bool Dispatch::GiveOne(std::size_t worker) {
  Lane& lane = lanes_[worker];
  // It is long at what it does: more would be taken back as well, again and again.
  if (lane.was_revoked && !lane.given.empty()) return false;
  for (std::size_t place = 0; place < open_.size(); ++place) {
    Entry& entry = *open_[place];
    if (!entry.run.Wants(worker)) continue;
    if (lane.given.size() >= entry.run.CreditOf(worker)) return false;
    const std::uint64_t most = entry.run.options().most_tasks_per_worker;
    if (most != 0 && workers_.TasksGiven(worker) >= most) {
      workers_.Stop(worker);
      return false;
    }
    bool gave = false;
    Guard(entry, [&] {
      if (const std::optional<GivenItem> given = entry.run.Give(worker)) {
        gave = true;
        lane.given.push_back({{entry.run.id(), *given}, workers_.ItemsGiven(worker)});
        if (lane.given.size() == 1) lane.oldest_since = Now();
      }
    });
    if (!entry.run.WantsAnybody()) {
      entry.open = false;
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    }
    return gave;
  }
  return false;
}

// Takes back what lies at this place of the worker's lane, if it has not been begun.
bool Dispatch::Revoke(std::size_t worker, std::size_t place) {
  std::deque<LaneItem>& given = lanes_[worker].given;
  const LaneItem item = given[place];
  lanes_[worker].was_revoked = true;
  Entry* const entry = Find(item.job);
  if (entry == nullptr || !workers_.Revoke(worker, item.number)) return false;
  given.erase(given.begin() + static_cast<std::ptrdiff_t>(place));
  entry->run.Revoked(worker, item.given);
  if (item.cancelled_at != 0) Drop(*entry, item.given.item);
  return true;
}

void Dispatch::RevokeAll(const Entry& entry) {
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    for (std::size_t place = lanes_[worker].given.size(); place-- > 0;) {
      if (lanes_[worker].given[place].job == entry.run.id()) Revoke(worker, place);
    }
  }
}

std::optional<std::size_t> Dispatch::Idler() const {
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    if (lanes_[worker].given.empty() && workers_.CanTake(worker)) return worker;
  }
  return std::nullopt;
}

// The worker that has been at its oldest item for longest and has others behind it, which may move.
std::optional<std::size_t> Dispatch::Overloaded() const {
  std::optional<std::size_t> found;
  for (std::size_t worker = 0; worker < lanes_.size(); ++worker) {
    const Lane& lane = lanes_[worker];
    if (lane.given.size() < 2 || !workers_.IsReady(worker)) continue;
    if (found && lanes_[*found].oldest_since <= lane.oldest_since) continue;
    if (jobs_.at(lane.given.back().job)->run.MayMove()) found = worker;
  }
  return found;
}

// Half of what waits behind a long item goes to a worker that has nothing. False: nothing moved.
bool Dispatch::Rebalance() {
  if (suspended_ || !Idler()) return false;
  const std::optional<std::size_t> worker = Overloaded();
  if (!worker || Now() < MoveAt(*worker)) return false;
  bool moved = false;
  const std::deque<LaneItem>& given = lanes_[*worker].given;
  for (std::size_t moving = given.size() / 2; moving > 0; --moving) {
    Entry& entry = *jobs_.at(given.back().job);
    if (!entry.run.MayMove() || !Revoke(*worker, given.size() - 1)) break;
    Reopen(entry);
    moved = true;
  }
  tried_to_move_ = Now();
  move_after_ = moved ? kMoveAfter : std::min(2 * move_after_, kSeldom);
  return moved;
}

Nanoseconds Dispatch::MoveAt(std::size_t worker) const {
  return std::max(lanes_[worker].oldest_since + kMoveAfter, tried_to_move_ + move_after_);
}

// ---- step 3

Deadline Dispatch::NextDeadline() const {
  Deadline next = Deadline::Far();
  if (suspended_) return next;
  if (Idler()) {
    if (const auto worker = Overloaded()) next = Deadline::At(MoveAt(*worker));
  }
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    if (const Nanoseconds due = DueBy(worker); due != 0) next = std::min(next, Deadline::At(due));
  }
  return next;
}

// When what the worker does now is overdue; 0: never. That the step began later than the item
// became the oldest is asked for only when it matters, in KillOverdue().
Nanoseconds Dispatch::DueBy(std::size_t worker) const {
  const Lane& lane = lanes_[worker];
  if (lane.given.empty() || lane.killed != Lane::Killed::kNo || !workers_.IsReady(worker)) return 0;
  const LaneItem& oldest = lane.given.front();
  const Nanoseconds due =
      jobs_.at(oldest.job)->run.DueBy(std::max(lane.oldest_since, lane.step_since));
  if (oldest.cancelled_at == 0) return due;
  const Nanoseconds gone_by = std::max(lane.oldest_since, oldest.cancelled_at) + kCancelGrace;
  return due == 0 ? gone_by : std::min(due, gone_by);
}

void Dispatch::CheckDeadlines() {
  if (suspended_) return;
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    const Nanoseconds due = DueBy(worker);
    if (due != 0 && Now() >= due) KillOverdue(worker);
  }
}

void Dispatch::KillOverdue(std::size_t worker) {
  Lane& lane = lanes_[worker];
  const LaneItem& oldest = lane.given.front();
  const JobRun& run = jobs_.at(oldest.job)->run;
  // The oldest without an answer may be done, with its answer still waiting to leave: then another
  // one hangs.
  const std::optional<BegunItem> begun = workers_.WorkingOn(worker);
  Entry* const begun_job = begun ? Find(begun->item.job) : nullptr;
  const bool known = begun_job != nullptr && begun_job->run.IsOpen(worker, begun->item.given);
  const bool cancelled = run.cancelled() || oldest.cancelled_at != 0;
  if (known && begun->item == oldest) {
    // Each step has the whole time. What a worker says of the future is not believed: it would put
    // its deadline off for ever.
    const Nanoseconds since = begun->begun;
    const Nanoseconds now = Now();
    if (!cancelled && since > lane.step_since && since <= now) {
      lane.step_since = since;
      if (run.DueBy(since) > now) return;
    }
  }
  if (cancelled) {
    lane.killed = Lane::Killed::kCancelled;
    return workers_.Kill(worker, "what it does was cancelled");
  }
  lane.killed = Lane::Killed::kOverdue;
  char seconds[32];  // NOLINT: a short number
  std::snprintf(seconds, sizeof seconds, "%g", Seconds(run.options().timeout));
  const std::uint64_t item = known ? begun->item.given.item : oldest.given.item;
  workers_.Kill(worker, "item " + std::to_string(item) + " took longer than " + seconds + " s");
}

void Dispatch::OnReady(std::size_t worker) {
  start_failures_ = 0;
  any_ready_ = true;
  for (const auto& [id, entry] : jobs_) entry->run.WorkerReady(worker, Now());
}

void Dispatch::OnSent(std::size_t worker) {
  for (const auto& [id, entry] : jobs_) entry->run.Sent(worker);
}

std::optional<std::span<std::byte>> Dispatch::PlaceFor(std::size_t worker,
                                                       const FrameHeader& header) {
  Entry* const entry = Find(header.job);
  if (entry == nullptr) return std::nullopt;
  bool known = false;
  std::span<std::byte> place;
  Guard(*entry, [&] {
    if (const auto given = entry->run.PlaceFor(worker, header)) {
      known = true;
      place = *given;
    }
  });
  return known ? std::optional(place) : std::nullopt;
}

bool Dispatch::OnResult(std::size_t worker, const Frame& frame) {
  Entry* const entry = Find(frame.header.job);
  if (entry == nullptr) return false;
  const Nanoseconds taken = Now();
  bool known = false;
  bool answered = false;
  Guard(*entry, [&] {
    if (const std::optional<bool> answers =
            entry->run.TakeResult(worker, frame, {lanes_[worker].oldest_since, taken})) {
      known = true;
      answered = *answers;
    }
  });
  if (!known) return false;
  if (answered) {
    Answered(worker, {frame.header.job, {frame.header.item, frame.header.attempt}}, taken);
    Open(*entry);  // its answer may have brought new items
    if (!entry->run.Unfinished() || entry->run.interrupted()) SettleSoon(*entry);
  }
  return true;
}

bool Dispatch::OnFailed(std::size_t worker, const JobItem& item, const std::string& type,
                        const std::string& text) {
  Entry* const entry = Find(item.job);
  if (entry == nullptr) return false;
  const Nanoseconds taken = Now();
  bool known = false;
  Guard(*entry, [&] {
    known = entry->run.TakeFailure(worker, item.given, type, text,
                                   {lanes_[worker].oldest_since, taken});
  });
  if (!known) return false;
  Answered(worker, item, taken);
  SettleSoon(*entry);
  return true;
}

bool Dispatch::OnStepThrew(std::size_t worker, const JobItem& item, std::uint64_t step,
                           const std::string& type, const std::string& text) {
  Entry* const entry = Find(item.job);
  if (entry == nullptr) return false;
  bool known = false;
  Guard(*entry, [&] { known = entry->run.TakeStepFailure(worker, item.given, step, type, text); });
  return known;
}

void Dispatch::Answered(std::size_t worker, const JobItem& item, Nanoseconds taken) {
  Lane& lane = lanes_[worker];
  if (!lane.given.empty() && lane.given.front() == item) {
    lane.given.pop_front();  // workers answer in order
  } else {
    std::erase_if(lane.given, [&](const LaneItem& given) { return given == item; });
  }
  lane.oldest_since = taken;  // of the item behind it, if there is one
  lane.was_revoked = false;
  fruitless_deaths_ = 0;
}

// The job whose item the worker had begun, if that is known; else that of the oldest item it had
// not answered; else the one that began first.
Dispatch::Entry* Dispatch::CulpritOf(std::size_t worker, const Departure& departure) {
  if (const auto& begun = departure.working_on) {
    Entry* const entry = Find(begun->item.job);
    if (entry != nullptr && entry->run.IsOpen(worker, begun->item.given)) return entry;
  }
  const Lane& lane = lanes_[worker];
  if (!lane.given.empty()) return Find(lane.given.front().job);
  return jobs_.empty() ? nullptr : jobs_.begin()->second.get();
}

bool Dispatch::AnybodyWants() const {
  return std::ranges::any_of(jobs_, [](const auto& job) {
    return !job.second->run.interrupted() && job.second->run.Unfinished();
  });
}

void Dispatch::OnGone(std::size_t worker, const Departure& departure) {
  const bool idle = Idle();
  Lane& lane = lanes_[worker];
  JobRun::Loss loss{
      .departure = departure,
      .who = "worker " + std::to_string(worker) + " (pid " + std::to_string(departure.pid) + ") ",
      .how =
          departure.exit.Text() + (departure.reason.empty() ? "" : ", because " + departure.reason),
      // Told to stop, and left with everything answered: all is well. Anything else is a death,
      // also on the way out.
      .as_told = departure.on_request && lane.given.empty() &&
                 departure.exit.kind == ProcessExit::Kind::kExited && departure.exit.value == 0,
      .timed_out = lane.killed == Lane::Killed::kOverdue};
  bool wanted = idle || loss.as_told || lane.killed == Lane::Killed::kCancelled;
  Entry* culprit = departure.was_ready && !wanted ? CulpritOf(worker, departure) : nullptr;
  if (culprit != nullptr && culprit->run.aborted()) {  // and the workers with it, just now
    culprit = nullptr;
    wanted = true;
  }
  bool given_up = false;
  for (const auto& job : jobs_) {
    Entry* const entry = job.second.get();
    Guard(*entry, [&] {
      loss.blame = entry == culprit;
      given_up = entry->run.WorkerGone(worker, loss) || given_up;
    });
    Reopen(*entry);
    SettleSoon(*entry);
  }
  const Lane left = std::exchange(lane, Lane{});
  // What it was killed for, or would not have lived to see: nobody is to do it now.
  for (const LaneItem& item : left.given) {
    if (item.cancelled_at != 0) Drop(*jobs_.at(item.job), item.given.item);
  }
  if (idle) return DiedIdle(worker, departure);

  if (!departure.was_ready && !loss.as_told) {
    ++start_failures_;
    const std::string what = loss.who + loss.how + " before it was ready";
    jobs_.begin()->second->run.Note(what);
    Log().info("{}", what);
    if (departure.hopeless || start_failures_ >= kMostStartFailures) return FailStart(departure);
  } else if (given_up) {
    fruitless_deaths_ = 0;  // that brings the job nearer to its end, like an answer
  } else if (!wanted) {
    // Every death is some item's fault or comes from outside; if nothing is ever answered in
    // between, stop.
    const unsigned most_deaths = culprit->run.options().most_deaths;
    if (++fruitless_deaths_ > kMostStartFailures * (workers_.slots() + most_deaths))
      return FailAll("workers die faster than they answer; the last: " + loss.who + loss.how);
  }
  if (AnybodyWants()) workers_.Replace(worker);
}

// Workers that cannot start, or die again and again with nothing to do, are left to the next item,
// whose caller hears of them.
void Dispatch::DiedIdle(std::size_t worker, const Departure& departure) {
  Log().info("worker {} (pid {}) {}{}{} between jobs", worker, departure.pid, departure.exit.Text(),
             departure.reason.empty() ? "" : ", because ", departure.reason);
  if (departure.was_ready && ++idle_deaths_ <= kMostStartFailures * workers_.slots())
    workers_.Replace(worker);
}

void Dispatch::OnSlotLost(std::size_t worker, const std::string& error) {
  if (jobs_.empty()) Log().warn("{}", error);
  for (const auto& [id, entry] : jobs_) entry->run.SlotLost(worker, error);
}

void Dispatch::FailAll(const std::string& error) {
  for (const auto& [id, entry] : jobs_) {
    entry->run.Fail(error);
    SettleSoon(*entry);
  }
}

// Workers that cannot start end every job. Where none ever did, the program itself must be wrong,
// and that is the caller's mistake rather than the job's failure.
void Dispatch::FailStart(const Departure& departure) {
  std::string cause = "it ended before it was ready, " + departure.exit.Text();
  if (start_failures_ > 1) cause += ", " + std::to_string(start_failures_) + " times in a row";
  if (!departure.reason.empty()) cause += ": " + departure.reason;
  const std::string object = departure.program == kThisProgram
                                 ? "this program as its own worker"
                                 : "worker program '" + departure.program + "'";
  const ErrorText text{
      "start", object, cause,
      departure.hopeless ? "give the worker of this build"
                         : "see that it is a worker of this build and can do what it begins with"};
  if (any_ready_) return FailAll(Error(Blame::kMachine, text).what());
  EndAll(std::make_exception_ptr(Error(Blame::kUser, text)));
}

}  // namespace procpool
