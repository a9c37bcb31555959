// Workers that are no processes and have items of many jobs, for tests that say step by step what
// happens.
//
// What a test asks a worker to do happens during the next turn of the dispatch, in the order in
// which it was asked. As with processes: a worker that is killed is gone one turn later, and one
// whose answer is refused is killed.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "master/workers.h"

namespace procpool {

class FakeJobWorkers final : public Workers {
 public:
  struct Slot {
    enum class Life { kEmpty, kStarting, kReady, kDying } life = Life::kEmpty;
    bool stopping = false;
    std::deque<JobItem> given{};
    std::uint64_t tasks_given = 0;
    std::vector<JobItem> ever_given{};
    std::optional<BegunItem> begun{};
    std::size_t record = 0;
  };
  struct Given {
    std::size_t worker = 0;
    JobItem item;
    bool operator==(const Given&) const = default;
  };

  explicit FakeJobWorkers(std::size_t slots) : slots_(slots), wanted_(slots) {}

  // ---- what the dispatch sees
  std::size_t slots() const override { return slots_.size(); }
  bool CanTake(std::size_t worker) const override {
    return IsReady(worker) && !slots_[worker].stopping;
  }
  bool IsReady(std::size_t worker) const override {
    return slots_[worker].life == Slot::Life::kReady;
  }
  pid_t pid(std::size_t worker) const override { return static_cast<pid_t>(1000 + worker); }
  std::size_t record(std::size_t worker) const override { return slots_[worker].record; }
  std::optional<BegunItem> WorkingOn(std::size_t worker) const override {
    return slots_[worker].begun;
  }
  std::size_t alive() const override {
    return static_cast<std::size_t>(std::ranges::count_if(
        slots_, [](const Slot& slot) { return slot.life != Slot::Life::kEmpty; }));
  }
  void BeginJob(const JobTicket& job) override { jobs[job.id] = job; }
  void EndJob(std::uint32_t job) override { jobs.erase(job); }
  std::uint64_t TasksGiven(std::size_t worker) const override { return slots_[worker].tasks_given; }
  bool HasUnsent(std::size_t) const override { return false; }
  bool Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
            const ItemInput& input) override {
    slots_[worker].given.push_back({job.id, given});
    slots_[worker].ever_given.push_back({job.id, given});
    slots_[worker].tasks_given += input.tasks;
    log.push_back({worker, {job.id, given}});
    return true;
  }
  std::uint64_t ItemsGiven(std::size_t worker) const override {
    return slots_[worker].ever_given.size();
  }
  bool Revoke(std::size_t worker, std::uint64_t number) override {
    Slot& slot = slots_[worker];
    const JobItem item = slot.ever_given.at(number - 1);
    const auto found = std::ranges::find(slot.given, item);
    if (!can_revoke || found == slot.given.end()) return false;
    // All up to the one that was begun have been.
    const auto begun = slot.begun ? std::ranges::find(slot.given, slot.begun->item) : found;
    if (slot.begun && begun != slot.given.end() && begun >= found) return false;
    slot.given.erase(found);
    revoked.push_back({worker, item});
    return true;
  }
  void Stop(std::size_t worker) override {
    if (slots_[worker].life != Slot::Life::kEmpty) slots_[worker].stopping = true;
  }
  void Kill(std::size_t worker, const std::string& reason) override {
    Slot& slot = slots_[worker];
    if (slot.life == Slot::Life::kEmpty || slot.life == Slot::Life::kDying) return;
    kills.push_back({worker, reason});
    Depart(worker, {ProcessExit::Kind::kSignalled, 9}, reason, false);
  }
  using Workers::Replace;
  void Replace(std::size_t worker, Nanoseconds earliest) override {
    if (worker >= wanted_ || slots_[worker].life != Slot::Life::kEmpty) return;
    replaced.push_back({worker, earliest});
    slots_[worker] = Slot{.life = Slot::Life::kStarting, .record = next_record_++};
    if (!start_by_hand) BecomeReady(worker);
  }
  void KeepEmpty() override { ++kept_empty; }
  void Resize(std::size_t workers) override {
    wanted_ = workers;
    if (workers > slots_.size()) slots_.resize(workers);
    for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
      worker < wanted_ ? Replace(worker) : Stop(worker);
    }
  }
  void Wait(Deadline deadline, WorkerEvents& events) override {
    last_deadline = deadline;
    waited_at = Now();
    std::vector<Action> now;
    now.swap(pending_);
    for (const Action& action : now) action(events);
  }

  // ---- what the test says
  using Action = std::function<void(WorkerEvents&)>;
  void Next(Action action) { pending_.push_back(std::move(action)); }

  void BecomeReady(std::size_t worker) {
    Next([this, worker](WorkerEvents& events) {
      if (slots_[worker].life != Slot::Life::kStarting) return;
      slots_[worker].life = Slot::Life::kReady;
      events.OnReady(worker);
    });
  }
  /// The oldest item of the worker, as it is then.
  void Answer(std::size_t worker, const std::string& result = "x") {
    Next([this, worker, result](WorkerEvents& events) {
      const JobItem item = slots_[worker].given.at(0);
      slots_[worker].given.pop_front();
      Deliver(events, worker, item, result);
    });
  }
  /// Any item, whoever has it.
  void AnswerItem(std::size_t worker, const JobItem& item, const std::string& result = "x") {
    Next([this, worker, item, result](WorkerEvents& events) {
      std::erase(slots_[worker].given, item);
      Deliver(events, worker, item, result);
    });
  }
  void Throw(std::size_t worker) {
    Next([this, worker](WorkerEvents& events) {
      const JobItem item = slots_[worker].given.at(0);
      slots_[worker].given.pop_front();
      if (!events.OnFailed(worker, item, "std::runtime_error", "no")) Kill(worker, "refused");
    });
  }
  void StepThrew(std::size_t worker, const JobItem& item, std::uint64_t step) {
    Next([this, worker, item, step](WorkerEvents& events) {
      if (!events.OnStepThrew(worker, item, step, "std::range_error", "step"))
        Kill(worker, "refused");
    });
  }
  /// It has begun this step of its item number `place`.
  void Begins(std::size_t worker, std::size_t place, std::uint64_t step = 0,
              Nanoseconds begun = 0) {
    slots_[worker].begun = BegunItem{slots_[worker].given.at(place), step, begun};
  }
  void Crash(std::size_t worker) { Depart(worker, {ProcessExit::Kind::kSignalled, 11}, "", false); }
  /// Ends as a worker that was told to.
  void Leave(std::size_t worker) { Depart(worker, {ProcessExit::Kind::kExited, 0}, "", true); }

  std::vector<std::size_t> ItemsOf(std::uint32_t job) const {
    std::vector<std::size_t> items;
    for (const Given& given : log) {
      if (given.item.job == job) items.push_back(given.item.given.item);
    }
    return items;
  }
  bool WasKilled(std::size_t worker) const {
    return std::ranges::any_of(kills, [&](const auto& kill) { return kill.first == worker; });
  }

  bool start_by_hand = false;
  bool can_revoke = false;
  std::vector<Given> revoked{};               // what was taken back
  Deadline last_deadline = Deadline::Far();   // until when the dispatch would have slept
  Nanoseconds waited_at = 0;                  // when that was asked for last
  std::map<std::uint32_t, JobTicket> jobs{};  // those that run
  std::vector<Given> log{};                   // all that was ever given
  int kept_empty = 0;                         // how often nobody was to be replaced any more
  std::vector<std::pair<std::size_t, Nanoseconds>> replaced{};  // and not before when
  std::vector<std::pair<std::size_t, std::string>> kills{};
  std::vector<Slot> slots_;

 private:
  void Deliver(WorkerEvents& events, std::size_t worker, const JobItem& item,
               const std::string& result) {
    FrameHeader header;
    header.type = FrameType::kResult;
    header.flags = kLastPart;
    header.job = item.job;
    header.item = item.given.item;
    header.attempt = item.given.attempt;
    header.payload_bytes = result.size();
    const auto place = events.PlaceFor(worker, header);
    if (!place) return Kill(worker, "refused");
    std::memcpy(place->data(), result.data(), result.size());
    if (!events.OnResult(worker, Frame{header, *place, {}, std::nullopt}))
      Kill(worker, "its result cannot be right");
  }
  void Depart(std::size_t worker, ProcessExit exit, const std::string& reason, bool on_request) {
    Slot& slot = slots_[worker];
    const bool was_ready = slot.life == Slot::Life::kReady;
    slot.life = Slot::Life::kDying;
    Next([this, worker, exit, reason, on_request, was_ready](WorkerEvents& events) {
      const Departure departure{.exit = exit,
                                .pid = pid(worker),
                                .program = "program",
                                .was_ready = was_ready,
                                .on_request = on_request,
                                .working_on = slots_[worker].begun,
                                .reason = reason};
      slots_[worker] = Slot{};
      events.OnGone(worker, departure);
    });
  }

  std::vector<Action> pending_;
  std::size_t wanted_;
  std::size_t next_record_ = 0;
};

}  // namespace procpool
