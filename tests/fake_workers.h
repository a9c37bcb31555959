// Workers that are no processes, for the tests of the dispatch.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "master/workers.h"

namespace procpool {

// Workers that answer when the test's script says so. `script` is called once for each Wait();
// doing nothing in it while items are outstanding would hang a real pool, here the test fails after
// many empty rounds.
class FakeWorkers final : public Workers {
 public:
  struct Slot {
    bool alive = false;
    bool ready = false;
    bool stopping = false;
    std::size_t record = 0;
    std::deque<GivenItem> given;
    std::uint64_t tasks_given = 0;
    std::optional<GivenItem> working_on;  // of the job that began last
  };

  explicit FakeWorkers(std::size_t slots) : slots_(slots) {}

  std::size_t slots() const override { return slots_.size(); }
  bool CanTake(std::size_t worker) const override {
    return slots_[worker].ready && !slots_[worker].stopping;
  }
  bool IsReady(std::size_t worker) const override { return slots_[worker].ready; }
  Nanoseconds ReadySince(std::size_t) const override { return 0; }  // long ago
  std::size_t record(std::size_t worker) const override { return slots_[worker].record; }
  std::optional<BegunItem> WorkingOn(std::size_t worker) const override {
    const auto& item = slots_[worker].working_on;
    return item ? std::optional(BegunItem{{ticket.id, *item}}) : std::nullopt;
  }
  void Resize(std::size_t workers) override {
    if (workers > slots_.size()) slots_.resize(workers);
  }
  std::size_t alive() const override { return slots_.size(); }
  void BeginJob(const JobTicket& job) override { ticket = job; }
  void EndJob(std::uint32_t) override { ended = true; }

  std::uint64_t TasksGiven(std::size_t worker) const override { return slots_[worker].tasks_given; }
  bool HasUnsent(std::size_t) const override { return false; }
  bool Give(std::size_t worker, const JobTicket& job, const GivenItem& given,
            const ItemInput& input) override {
    if (full) return false;
    ++(job.timed ? given_timed : given_untimed);
    slots_[worker].given.push_back(given);
    slots_[worker].tasks_given += input.tasks;
    most_given = std::max(most_given, slots_[worker].given.size());
    log.push_back({worker, given});
    return true;
  }
  void Stop(std::size_t worker) override { slots_[worker].stopping = true; }
  void Kill(std::size_t worker, const std::string& reason) override {
    kills.push_back(reason);
    Die(worker, {.exit = {ProcessExit::Kind::kSignalled, 9},
                 .was_ready = slots_[worker].ready,
                 .reason = reason});
  }
  using Workers::Replace;
  void Replace(std::size_t worker, Nanoseconds /*earliest*/) override {
    if (slots_[worker].alive) return;
    slots_[worker] = Slot{.alive = true};
    slots_[worker].record = next_record_++;
    if (on_spawn) return pending_.push_back([this, worker] { on_spawn(worker); });
    BecomeReady(worker);
  }

  void Wait(Deadline, WorkerEvents& events) override {
    events_ = &events;
    if (++waits_ > 1'000'000)
      throw std::logic_error("the dispatch waits for something that never comes");
    std::vector<std::function<void()>> now;
    now.swap(pending_);
    for (const auto& action : now) action();
    if (now.empty() && script) script();
  }

  // What a script does.
  void BecomeReady(std::size_t worker) {
    pending_.push_back([this, worker] {
      slots_[worker].ready = true;
      events_->OnReady(worker);
    });
  }
  void Answer(std::size_t worker) { Answer(worker, slots_[worker].given.front()); }
  bool Answer(std::size_t worker, GivenItem given, const std::string& text = "x") {
    std::erase(slots_[worker].given, given);
    FrameHeader header;
    header.type = FrameType::kResult;
    header.flags = kLastPart;
    header.job = ticket.id;
    header.item = given.item;
    header.attempt = given.attempt;
    header.payload_bytes = text.size();
    std::optional<ResultAnnex> times;
    if (ticket.timed) times = claim ? claim(worker) : ResultAnnex{};
    const Nanoseconds arrived = Now();
    const auto place = events_->PlaceFor(worker, header);
    if (!place) return false;
    std::memcpy(place->data(), text.data(), text.size());
    return events_->OnResult(worker, Frame{header, *place, {}, times, arrived});
  }
  void Throw(std::size_t worker) {
    const GivenItem given = slots_[worker].given.front();
    slots_[worker].given.pop_front();
    EXPECT_TRUE(events_->OnFailed(worker, {ticket.id, given}, "std::runtime_error", "no"));
  }
  void Die(std::size_t worker, Departure departure) {
    if (departure.exit.kind == ProcessExit::Kind::kUnknown)
      departure.exit = {ProcessExit::Kind::kSignalled, 11};
    departure.working_on = WorkingOn(worker);
    slots_[worker] = Slot{};
    pending_.push_back([this, worker, departure] { events_->OnGone(worker, departure); });
  }
  // In the same Wait() as what came before it.
  void CrashNow(std::size_t worker) {
    slots_[worker] = Slot{};
    events_->OnGone(worker, {.exit = {ProcessExit::Kind::kSignalled, 11}, .was_ready = true});
  }
  // A result past PlaceFor(), as a payload in shared memory brings it.
  bool DeliverUnasked(std::size_t worker, std::uint64_t item) {
    FrameHeader header;
    header.type = FrameType::kResult;
    header.flags = kLastPart;
    header.job = ticket.id;
    header.item = item;
    return events_->OnResult(worker, Frame{header, {}, {}, std::nullopt});
  }
  void Crash(std::size_t worker) { Die(worker, {.exit = {}, .was_ready = true}); }
  void Lose(std::size_t worker) {
    slots_[worker] = Slot{.alive = true};
    pending_.push_back([this, worker] { events_->OnSlotLost(worker, "no processes left"); });
  }
  void AnswerAll() {
    for (std::size_t worker = 0; worker < slots_.size(); ++worker) {
      if (slots_[worker].stopping && slots_[worker].given.empty()) {
        Die(worker,
            {.exit = {ProcessExit::Kind::kExited, 0}, .was_ready = true, .on_request = true});
      } else if (!slots_[worker].given.empty()) {
        Answer(worker);
      }
    }
  }

  std::function<void()> script;
  std::function<void(std::size_t)> on_spawn;
  std::function<ResultAnnex(std::size_t)> claim;  // a worker's word on when things happened
  JobTicket ticket;
  bool ended = false;
  bool full = false;
  std::size_t most_given = 0;
  std::size_t given_timed = 0;
  std::size_t given_untimed = 0;
  std::vector<std::pair<std::size_t, GivenItem>> log;
  std::vector<std::string> kills;
  std::vector<Slot> slots_;

 private:
  WorkerEvents* events_ = nullptr;
  std::vector<std::function<void()>> pending_;
  int waits_ = 0;
  std::size_t next_record_ = 0;
};

}  // namespace procpool
