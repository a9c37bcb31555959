#include "master/dispatch.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "common/log.h"

namespace procpool {

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
  not_before_ = 0;
  if (std::exchange(out_of_restarts_, false)) restarts_.Forget();
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker)
    any_ready_ = any_ready_ || workers_.IsReady(worker);
}

std::uint32_t Dispatch::Begin(Job& job, const JobOptions& options, JobEnded ended,
                              std::atomic<std::uint64_t>* items_done) {
  if (Idle() || out_of_restarts_) LeaveIdleness();
  const std::uint32_t id = NextId();
  // In place, for a run refers to what it is made of and does not move.
  std::unique_ptr<Entry> made(new Entry{.run{id, workers_, job, options, items_done},
                                        .ended = std::move(ended),
                                        .waited_before = waited_});
  Entry& entry = *made;
  jobs_.emplace(id, std::move(made));
  for (std::size_t worker = 0; worker < workers_.slots(); ++worker) {
    Replace(worker);
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

Dispatch::Entry* Dispatch::Find(std::uint32_t job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : found->second.get();
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
  entry.settle = true;  // what is revoked may drop items, which must not have it settled once more
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
  if (not_before_ != 0) not_before_ += stopped;
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
      Log(LogLevel::kDebug, exception.what());
    } else {
      EndAll(std::current_exception());
    }
  }
  waited_ += Now() - before;
  CheckDeadlines();
  Settle();
}

}  // namespace procpool
