// Many jobs on one dispatch, turn by turn, for the tests of the dispatch.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <exception>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/log.h"
#include "master/dispatch.h"
#include "tests/fake_job_workers.h"

namespace procpool {

// A job that keeps what was asked of it. It may grow, and any of its functions may throw.
class ListedJob : public Job {
 public:
  explicit ListedJob(std::size_t items, std::vector<unsigned> owners = {})
      : count(items), owners_(std::move(owners)) {}

  std::string_view task() const override { return "task"; }
  std::span<const std::byte> context() const override { return {}; }
  std::size_t items() const override {
    ThrowIf("items");
    return count;
  }
  bool MoreMayCome() const override {
    ThrowIf("MoreMayCome");
    return more_may_come;
  }
  std::span<const unsigned> owners() const override { return owners_; }
  ItemInput Begin(const GivenItem& given) override {
    ThrowIf("Begin");
    if (bad_items.contains(given.item)) throw std::runtime_error("thrown for an item");
    ++begun[given.item];
    return {.tasks = tasks_per_item};
  }
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem&, std::uint64_t offset,
                                               std::uint64_t bytes) override {
    ThrowIf("PlaceFor");
    if (offset + bytes > result_.size()) return std::nullopt;
    return std::span(result_).subspan(offset, bytes);
  }
  bool Complete(const GivenItem& given, const ItemResult&) override {
    ThrowIf("Complete");
    ++completed[given.item];
    if (on_complete) on_complete(given.item);
    return true;
  }
  void Return(const GivenItem& given) override {
    ThrowIf("Return");
    ++returned[given.item];
  }
  void GiveUp(const GivenUpItem& item) override {
    ThrowIf("GiveUp");
    given_up[item.item] = item;
  }
  bool Refused(const GivenItem& given, const std::exception_ptr&) override {
    if (!refuses) return false;
    refused.push_back(given.item);
    return true;
  }
  bool StepThrew(const GivenItem& given, std::uint64_t step, const std::string& type,
                 const std::string&, pid_t worker) override {
    ThrowIf("StepThrew");
    if (step >= tasks_per_item) return false;
    step_failures.push_back(std::to_string(given.item) + "." + std::to_string(step) + " " + type +
                            " in " + std::to_string(worker));
    return true;
  }
  std::vector<std::uint64_t> Recheck() override {
    ThrowIf("Recheck");
    return {};
  }

  std::size_t count;
  mutable bool more_may_come = false;
  std::uint64_t tasks_per_item = 1;
  std::string throws_in{};
  std::set<std::uint64_t> bad_items{};   ///< whose Begin() throws
  bool refuses = false;                  ///< and whether only they end by it
  std::vector<std::uint64_t> refused{};  ///< those that did
  std::function<void(std::uint64_t)> on_complete{};
  std::map<std::uint64_t, int> begun{}, completed{}, returned{};
  std::map<std::uint64_t, GivenUpItem> given_up{};
  std::vector<std::string> step_failures{};

 private:
  void ThrowIf(std::string_view function) const {
    if (throws_in == function) throw std::runtime_error("thrown in " + std::string(function));
  }

  std::vector<unsigned> owners_;
  std::array<std::byte, 64> result_{};
};

class ManyJobs {
 public:
  explicit ManyJobs(std::size_t slots, RestartLimit restarts = RestartLimit())
      : workers(slots), dispatch(workers, std::move(restarts)) {
    StartLog("test", "off");
  }
  ~ManyJobs() { dispatch.EndJobs(); }  // while there is something to tell
  ManyJobs(const ManyJobs&) = delete;
  ManyJobs& operator=(const ManyJobs&) = delete;

  std::uint32_t Begin(Job& job, const JobOptions& options = {}) {
    const auto place = std::make_shared<std::uint32_t>(0);
    const std::uint32_t id =
        dispatch.Begin(job, options, [this, place](JobReport report, std::exception_ptr error) {
          EXPECT_FALSE(ends_.contains(*place)) << "a job has ended twice";
          order.push_back(*place);
          ends_[*place] = {std::move(report), std::move(error)};
        });
    *place = id;
    return id;
  }
  /// Nothing sleeps in it.
  void Turn(int times = 1) {
    for (; times > 0; --times) dispatch.Turn(Deadline::After(0));
  }
  /// Every worker answers, one item a turn, until no job runs.
  void Finish() {
    for (int turn = 0; !dispatch.Idle(); ++turn) {
      ASSERT_LT(turn, 10'000) << "the jobs do not end";
      for (std::size_t worker = 0; worker < workers.slots(); ++worker) {
        const auto& slot = workers.slots_[worker];
        if (!workers.IsReady(worker)) continue;
        if (!slot.given.empty()) {
          workers.Answer(worker);
        } else if (slot.stopping) {
          workers.Leave(worker);
        }
      }
      Turn();
    }
  }
  /// Until so many workers were killed: for what must take a moment of real time.
  void TurnUntilKilled(std::size_t kills) {
    const Deadline deadline = Deadline::After(20 * kSecond);
    while (workers.kills.size() < kills) {
      ASSERT_FALSE(deadline.Passed()) << "nobody was killed";
      Turn();
    }
  }
  /// Makes it so much later, for what workers were given before and what they said.
  void Pass(Nanoseconds time) {
    dispatch.Resume(-time);
    for (auto& slot : workers.slots_) {
      if (slot.begun && slot.begun->begun != 0) slot.begun->begun -= time;
    }
  }

  bool Ended(std::uint32_t job) const { return ends_.contains(job); }
  const JobReport& Report(std::uint32_t job) const { return ends_.at(job).first; }
  JobReport::Status StatusOf(std::uint32_t job) const { return Report(job).status; }
  /// What the job ended with instead of a report; empty if with a report.
  std::string ErrorOf(std::uint32_t job) const {
    try {
      if (ends_.at(job).second) std::rethrow_exception(ends_.at(job).second);
    } catch (const std::exception& exception) {
      return exception.what();
    }
    return "";
  }

  FakeJobWorkers workers;
  Dispatch dispatch;
  std::vector<std::uint32_t> order{};  // in which the jobs ended

 private:
  std::map<std::uint32_t, std::pair<JobReport, std::exception_ptr>> ends_;
};

}  // namespace procpool
