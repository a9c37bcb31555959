// The dispatch with workers that are no processes: what it tells the budget, and whom it believes.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/log.h"
#include "master/dispatch.h"
#include "tests/budget_stamps.h"
#include "tests/bytes_job.h"
#include "tests/fake_workers.h"
#include "tests/one_job.h"

namespace procpool {
namespace {

class DispatchBudgetTest : public ::testing::Test {
 protected:
  void SetUp() override { StartLog("test", "off"); }
};

class TimedJob : public BytesJob {
 public:
  explicit TimedJob(std::size_t items) : BytesJob("task", std::vector<std::string>(items, "in")) {
    wants_times = true;
  }
};

constexpr Nanoseconds kWork = 100;

// Began so long ago and computed since then.
ResultAnnex JustNow(std::size_t /*worker*/) {
  const Nanoseconds now = Now();
  const Nanoseconds begun = now - kWork;
  return {.turned = begun,
          .arrived = begun,
          .received = begun,
          .begun = begun,
          .finished = now,
          .compute = kWork,
          .compute_cpu = kWork / 2};
}

Nanoseconds PartOf(const Budget& budget, std::size_t worker, BudgetPart part) {
  return budget.lines[worker][static_cast<std::size_t>(part)];
}

TEST_F(DispatchBudgetTest, ATimedJobHasABudget) {
  FakeWorkers workers(3);
  workers.script = [&] { workers.AnswerAll(); };
  workers.claim = JustNow;
  TimedJob job(100);
  OneJob dispatch(workers, job, {});
  const JobReport report = dispatch.Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_TRUE(workers.ticket.timed);
  EXPECT_EQ(workers.given_timed, 100U);
  EXPECT_EQ(workers.given_untimed, 0U);
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(report.budget->items, 100U);
  EXPECT_EQ(report.budget->journeys.size(), 100U);
  EXPECT_EQ(report.budget->lines.size(), 3U);
  EXPECT_EQ(report.budget->begun, report.begun);
  EXPECT_EQ(report.budget->finished, report.finished);
  EXPECT_GT(report.budget->master.encode, 0);
  EXPECT_GT(report.budget->master.placing, 0);
  Nanoseconds compute = 0;
  for (const WorkerTally& tally : report.tallies) {
    compute += tally.compute;
    EXPECT_EQ(tally.compute, 2 * tally.compute_cpu);
  }
  EXPECT_EQ(compute, 100 * kWork);
}

TEST_F(DispatchBudgetTest, AnUntimedJobHasNone) {
  FakeWorkers workers(3);
  workers.script = [&] { workers.AnswerAll(); };
  BytesJob job("task", std::vector<std::string>(100, "in"));
  OneJob dispatch(workers, job, {});
  const JobReport report = dispatch.Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_FALSE(workers.ticket.timed);
  EXPECT_EQ(workers.given_timed, 0U);
  EXPECT_EQ(workers.given_untimed, 100U);
  EXPECT_FALSE(report.budget);
  for (const WorkerTally& tally : report.tallies) EXPECT_EQ(tally.compute, 0);
}

TEST_F(DispatchBudgetTest, TheAccountBeginsWhereTheCallerSays) {
  FakeWorkers workers(1);
  workers.script = [&] { workers.AnswerAll(); };
  TimedJob job(1);
  const Nanoseconds before = Now() - kSecond;
  const JobReport report = OneJob(workers, job, {.accounted_from = before}).Run();
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(report.budget->begun, before);
  EXPECT_GE(report.budget->Wall(), kSecond);
}

TEST_F(DispatchBudgetTest, AWorkerThatWasReadyBeforeTheJobIdlesIfItGetsNothing) {
  FakeWorkers workers(2);
  workers.script = [&] { workers.AnswerAll(); };
  workers.claim = JustNow;
  TimedJob first(10);
  static_cast<void>(OneJob(workers, first, {}).Run());
  TimedJob second(1);
  const JobReport report = OneJob(workers, second, {}).Run();
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(PartOf(*report.budget, 1, BudgetPart::kSpawn), 0);
  EXPECT_GT(PartOf(*report.budget, 1, BudgetPart::kIdle), 0);
}

TEST_F(DispatchBudgetTest, WhatADeadWorkerDidIsLost) {
  FakeWorkers workers(2);
  int round = 0;
  workers.claim = JustNow;
  workers.script = [&] { ++round == 3 ? workers.Crash(0) : workers.AnswerAll(); };
  TimedJob job(10);
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(report.budget->items, 10U);
  EXPECT_GT(PartOf(*report.budget, 0, BudgetPart::kLost), 0);
  EXPECT_EQ(PartOf(*report.budget, 1, BudgetPart::kLost), 0);
}

TEST_F(DispatchBudgetTest, ASlotThatNobodyFillsIdles) {
  FakeWorkers workers(2);
  workers.claim = JustNow;
  workers.on_spawn = [&](std::size_t worker) {
    worker == 1 ? workers.Lose(1) : workers.BecomeReady(worker);
  };
  workers.script = [&] { workers.AnswerAll(); };
  TimedJob job(10);
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_GT(PartOf(*report.budget, 1, BudgetPart::kIdle), 0);
}

TEST_F(DispatchBudgetTest, ALiarsTimesAreCutToWhatWasPossible) {
  constexpr Nanoseconds kMost = std::numeric_limits<Nanoseconds>::max();
  FakeWorkers workers(2);
  workers.script = [&] { workers.AnswerAll(); };
  workers.claim = [](std::size_t worker) {
    return worker == 0 ? JustNow(0)
                       : ResultAnnex{.finished = kMost, .compute = kMost, .compute_cpu = kMost};
  };
  TimedJob job(100);
  OneJob dispatch(workers, job, {});
  const JobReport report = dispatch.Run();
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  for (const WorkerTally& tally : report.tallies) {
    EXPECT_GT(tally.compute, 0);
    EXPECT_LE(tally.compute, static_cast<Nanoseconds>(tally.items) * report.budget->Wall());
  }
}

TEST_F(DispatchBudgetTest, AnExceptionLeavesNoStampsBehind) {
  FakeWorkers workers(1);
  workers.claim = JustNow;
  workers.script = [&] {
    workers.slots_[0].given.front().item == 1 ? workers.Throw(0) : workers.Answer(0);
  };
  TimedJob job(3);
  const JobReport report = OneJob(workers, job, {}).Run();
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(report.budget->items, 2U);
}

}  // namespace
}  // namespace procpool
