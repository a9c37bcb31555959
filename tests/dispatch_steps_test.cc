// The dispatch and the steps of an item: each has the whole time, one that throws does not end its
// item, and no worker can put its deadline off.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

// So long that no test ever takes it; ManyJobs::Pass() makes it pass.
constexpr Nanoseconds kHour = 3600 * kSecond;
constexpr JobOptions kAnHourEach{.timeout = kHour, .most_deaths = 1, .quiet_failures = true};

TEST(DispatchSteps, BeginningsAreMarkedWhereThereIsATimeout) {
  ManyJobs many(1);
  ListedJob hurried(1);
  ListedJob patient(1);
  const auto a = many.Begin(hurried, kAnHourEach);
  const auto b = many.Begin(patient);
  EXPECT_TRUE(many.workers.jobs.at(a).watched);
  EXPECT_FALSE(many.workers.jobs.at(b).watched);
  many.Finish();
}

TEST(DispatchSteps, AnItemOverItsTimeIsGivenUpWithTheStepItWasAt) {
  ManyJobs many(1);
  ListedJob job(1);
  const auto id = many.Begin(job, kAnHourEach);
  many.Turn(2);
  many.workers.Begins(0, 0, 7, Now());
  many.Turn();
  ASSERT_TRUE(many.workers.kills.empty());
  many.Pass(kHour + kSecond);
  many.Turn();
  ASSERT_EQ(many.workers.kills.size(), 1U);
  EXPECT_NE(many.workers.kills[0].second.find("item 0 took longer than 3600 s"), std::string::npos)
      << many.workers.kills[0].second;
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  ASSERT_EQ(job.given_up.count(0), 1U);
  EXPECT_EQ(job.given_up[0].cause, GivenUpItem::Cause::kTimedOut);
  EXPECT_EQ(job.given_up[0].step, 7U);
  EXPECT_EQ(job.given_up[0].pid, many.workers.pid(0));
}

TEST(DispatchSteps, ADeathTellsTheStep) {
  ManyJobs many(1);
  ListedJob job(1);
  const auto id = many.Begin(job, {.most_deaths = 1, .quiet_failures = true});
  many.Turn(2);
  many.workers.Begins(0, 0, 3);
  many.workers.Crash(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(job.given_up[0].cause, GivenUpItem::Cause::kDied);
  EXPECT_EQ(job.given_up[0].step, 3U);
  EXPECT_EQ(job.given_up[0].exit.value, 11);
}

TEST(DispatchSteps, TheStepOfAnotherItemIsNotTold) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(1);
  const auto a = many.Begin(first, {.most_deaths = 1, .quiet_failures = true});
  many.Begin(second);
  many.Turn(2);
  many.workers.slots_[0].begun = BegunItem{{a, {0, 5}}, 3};  // of an attempt that is not open
  many.workers.Crash(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(a));
  EXPECT_EQ(first.given_up[0].step, std::nullopt);
  many.Finish();
}

TEST(DispatchSteps, TheDeadlineBeginsAnewWithEachStep) {
  ManyJobs many(1);
  ListedJob job(1);
  job.tasks_per_item = 10;
  many.Begin(job, kAnHourEach);
  many.Turn(2);
  for (std::uint64_t step = 0; step < 10; ++step) {
    many.workers.Begins(0, 0, step, Now());
    many.Turn();
    many.Pass(kHour / 10 * 9);
    many.Turn();
    ASSERT_TRUE(many.workers.kills.empty()) << "killed in step " << step;
  }
  // The last step goes on.
  many.Pass(kHour / 10 * 2);
  many.Turn();
  EXPECT_EQ(many.workers.kills.size(), 1U);
  many.Turn();
  EXPECT_EQ(job.given_up[0].step, 9U);
}

TEST(DispatchSteps, TheDispatchSleepsUntilTheStepIsOverdue) {
  ManyJobs many(1);
  ListedJob job(1);
  many.Begin(job, kAnHourEach);
  many.Turn(2);
  many.Pass(kHour + kSecond);
  many.workers.Begins(0, 0, 1, Now());
  many.Turn();
  ASSERT_TRUE(many.workers.kills.empty());
  many.dispatch.Turn(Deadline::Far());
  EXPECT_GT(many.workers.last_deadline.Left(), kHour / 2);
  EXPECT_LE(many.workers.last_deadline.Left(), kHour);
  many.Finish();
}

TEST(DispatchSteps, TheItemBehindHasItsTimeFromWhenItIsTheOldest) {
  ManyJobs many(1);
  ListedJob job(2);
  const auto id = many.Begin(job, kAnHourEach);
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.workers.Begins(0, 0, 0, Now());
  many.Pass(kHour / 10 * 9);
  many.workers.Answer(0);
  many.Turn();
  many.Pass(kHour / 10 * 9);
  many.Turn();
  EXPECT_TRUE(many.workers.kills.empty());
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST(DispatchSteps, AWorkerThatNeverSaysWhereItIsHasOneTimeForAll) {
  for (const Nanoseconds begun : {Nanoseconds{0}, -kHour}) {
    ManyJobs many(1);
    ListedJob job(1);
    job.tasks_per_item = 10;
    many.Begin(job, kAnHourEach);
    many.Turn(2);
    many.workers.Begins(0, 0, 5, begun);
    many.Pass(kHour + kSecond);
    many.Turn();
    EXPECT_EQ(many.workers.kills.size(), 1U);
    many.Turn(2);
  }
}

TEST(DispatchSteps, AWordAboutTheFuturePutsNoDeadlineOff) {
  for (const Nanoseconds begun : {Now() + 1000 * kHour, std::numeric_limits<Nanoseconds>::max()}) {
    ManyJobs many(1);
    ListedJob job(1);
    many.Begin(job, kAnHourEach);
    many.Turn(2);
    many.workers.Begins(0, 0, 0, begun);
    many.Turn();
    many.Pass(kHour + kSecond);
    many.Turn();
    EXPECT_EQ(many.workers.kills.size(), 1U);
    many.Turn(2);
  }
}

TEST(DispatchSteps, AWordAboutAnItemThatIsNotTheOldestPutsNoDeadlineOff) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(1);
  const auto a = many.Begin(first, kAnHourEach);
  const auto b = many.Begin(second, kAnHourEach);
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.Pass(kHour + kSecond);
  many.workers.Begins(0, 1, 0, Now());
  many.Turn();
  ASSERT_EQ(many.workers.kills.size(), 1U);
  many.Turn();
  // Nor is the item guilty that it says it was at, unless it says the truth: that is believed.
  EXPECT_TRUE(many.Ended(b));
  EXPECT_EQ(second.given_up.count(0), 1U);
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
}

TEST(DispatchSteps, EachJobHasItsOwnTimeout) {
  ManyJobs many(2);
  ListedJob hurried(1);
  ListedJob patient(1);
  const auto a = many.Begin(hurried, kAnHourEach);
  const auto b = many.Begin(patient);
  many.Turn(2);
  many.Pass(10 * kHour);
  many.Turn();
  ASSERT_EQ(many.workers.kills.size(), 1U);
  many.Turn();
  EXPECT_TRUE(many.Ended(a));
  EXPECT_FALSE(many.Ended(b));
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
}

TEST(DispatchSteps, WhileWorkersAreStoppedNoStepsTimePasses) {
  for (const bool asked_before : {false, true}) {
    ManyJobs many(1);
    ListedJob job(1);
    job.tasks_per_item = 2;
    many.Begin(job, kAnHourEach);
    many.Turn(2);
    many.Pass(kHour / 2);
    many.workers.Begins(0, 0, 1, Now());
    if (asked_before) {
      many.Pass(kHour / 10 * 6);
      many.Turn();
      ASSERT_TRUE(many.workers.kills.empty());
    }
    // Stopped for ten hours: the worker's own word does not know of it.
    many.dispatch.Suspend();
    many.Turn();
    many.Pass(10 * kHour);
    many.dispatch.Resume(10 * kHour);
    many.Turn();
    EXPECT_TRUE(many.workers.kills.empty()) << asked_before;
    many.Pass(kHour);
    many.Turn();
    EXPECT_EQ(many.workers.kills.size(), 1U);
    many.Turn(2);
  }
}

TEST(DispatchSteps, AStepThatThrewIsToldAndTheItemGoesOn) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(1);
  first.tasks_per_item = second.tasks_per_item = 3;
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  many.Turn(2);
  many.workers.StepThrew(0, {a, {0, 0}}, 0);
  many.workers.StepThrew(0, {a, {0, 0}}, 2);
  many.workers.Answer(0);
  many.workers.StepThrew(0, {b, {0, 0}}, 1);
  many.workers.Answer(0);
  many.Turn();
  EXPECT_TRUE(many.workers.kills.empty());
  EXPECT_EQ(first.step_failures, (std::vector<std::string>{"0.0 std::range_error in 1000",
                                                           "0.2 std::range_error in 1000"}));
  EXPECT_EQ(second.step_failures, std::vector<std::string>{"0.1 std::range_error in 1000"});
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
}

TEST(DispatchSteps, AStepThatCannotBeIsRefused) {
  struct Wrong {
    JobItem item;
    std::uint64_t step;
  };
  for (const Wrong& wrong : {Wrong{{1, {0, 0}}, 2},     // the job knows no such step
                             Wrong{{1, {0, 1}}, 0},     // another attempt
                             Wrong{{1, {2, 0}}, 0},     // nobody has it
                             Wrong{{2, {0, 0}}, 0}}) {  // no such job
    ManyJobs many(1);
    ListedJob job(3);
    job.tasks_per_item = 2;
    ASSERT_EQ(many.Begin(job), 1U);
    many.Turn(2);
    many.workers.StepThrew(0, wrong.item, wrong.step);
    many.Turn();
    EXPECT_TRUE(many.workers.WasKilled(0)) << wrong.item.given.item << "." << wrong.step;
    EXPECT_TRUE(job.step_failures.empty());
    many.Turn();
    many.Finish();
    EXPECT_EQ(many.StatusOf(1), Status::kDone);
  }
}

}  // namespace
}  // namespace procpool
