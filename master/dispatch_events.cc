// The dispatch's third step: what came from the workers, and deadlines that have passed.

#include <algorithm>
#include <cstdio>
#include <utility>

#include "master/dispatch.h"

namespace procpool {

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
  not_before_ = 0;
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

}  // namespace procpool
