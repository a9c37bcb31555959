// The dispatch's third step: what came from the workers, deadlines that have passed, deaths.

#include <algorithm>
#include <cstdio>
#include <utility>

#include <procpool/error.h>
#include "common/logger.h"
#include "master/dispatch.h"

namespace procpool {
namespace {

// Give up on workers that die at start after so many in a row.
constexpr unsigned kMostStartFailures = 3;

}  // namespace

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
