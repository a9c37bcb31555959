// The dispatch when the number of workers changes while jobs run.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

std::size_t ItemsGivenTo(const ManyJobs& many, std::size_t worker) {
  return static_cast<std::size_t>(
      std::ranges::count(many.workers.log, worker, &FakeJobWorkers::Given::worker));
}

TEST(DispatchResize, NewWorkersGetItemsOfEveryRunningJob) {
  ManyJobs many(1);
  ListedJob first(10);
  ListedJob second(10);
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  many.Turn(2);
  many.dispatch.Resize(4);
  many.Turn(2);
  for (std::size_t worker = 1; worker < 4; ++worker) EXPECT_GT(ItemsGivenTo(many, worker), 0U);
  many.workers.Crash(3);  // what is kept for each worker is there for the new ones, too
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
  EXPECT_EQ(many.Report(a).items_done + many.Report(b).items_done, 20U);
}

TEST(DispatchResize, AJobThatBeginsAfterwardsUsesThemAll) {
  ManyJobs many(1);
  many.dispatch.Resize(3);
  ListedJob job(3);
  const auto id = many.Begin(job);
  many.Turn(2);
  for (std::size_t worker = 0; worker < 3; ++worker) EXPECT_EQ(ItemsGivenTo(many, worker), 1U);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST(DispatchResize, WhoIsTooManyAnswersWhatItHasAndLeaves) {
  ManyJobs many(3);
  ListedJob job(20);
  const auto id = many.Begin(job, {.most_deaths = 1});
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[2].given.size(), 2U);
  const std::size_t before = ItemsGivenTo(many, 2);
  many.dispatch.Resize(1);
  EXPECT_FALSE(many.workers.slots_[0].stopping);
  EXPECT_TRUE(many.workers.slots_[1].stopping && many.workers.slots_[2].stopping);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 20U);
  EXPECT_EQ(many.Report(id).deaths, 0U);
  EXPECT_EQ(many.Report(id).retries, 0U) << "it had to be done again";
  EXPECT_EQ(ItemsGivenTo(many, 2), before);
  EXPECT_EQ(many.workers.alive(), 1U) << "nobody takes its place";
}

TEST(DispatchResize, TheShareOfWhoLeavesIsAnybodys) {
  ManyJobs many(2);
  ListedJob job(8, {0, 0, 0, 0, 1, 1, 1, 1});
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.Resize(1);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 8U);
  EXPECT_EQ(ItemsGivenTo(many, 0), 6U);
}

TEST(DispatchResize, ADeathAmongThoseWhoAreTooManyLosesNothing) {
  ManyJobs many(2);
  ListedJob job(6);
  const auto id = many.Begin(job, {.most_deaths = 2});
  many.Turn(2);
  many.dispatch.Resize(1);
  many.workers.Crash(1);
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 6U);
  EXPECT_EQ(many.Report(id).deaths, 1U);
  EXPECT_EQ(many.workers.alive(), 1U);
}

TEST(DispatchResize, UpAgainFillsTheSlotsOnceTheyAreEmpty) {
  ManyJobs many(2);
  ListedJob job(30);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.Resize(1);
  many.Turn();
  many.dispatch.Resize(2);  // the second one is still on its way out
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.workers.alive(), 2U);
  EXPECT_EQ(many.workers.slots_[1].record, 2U) << "it was not replaced";
}

TEST(DispatchResize, WithoutAJobItIsHeededAsWell) {
  ManyJobs many(2);
  {
    ListedJob job(2);
    many.Begin(job);
    many.Finish();
  }
  many.dispatch.Resize(1);
  many.workers.Leave(1);
  many.Turn();
  EXPECT_EQ(many.workers.alive(), 1U);
  many.dispatch.Resize(3);
  many.Turn();
  EXPECT_EQ(many.workers.alive(), 3U);
}

// A worker that runs an initializer looks at STOP when that is done or, if it has not begun, before
// it: then it leaves without ever having been ready.
TEST(DispatchResize, WhoWasToldToLeaveBeforeItWasReadyIsNoFailedStart) {
  ManyJobs many(8);
  many.workers.start_by_hand = true;
  ListedJob job(4);
  const auto id = many.Begin(job);
  many.Turn();
  many.dispatch.Resize(1);
  for (std::size_t worker = 1; worker < 8; ++worker) many.workers.Leave(worker);
  many.Turn(2);
  ASSERT_FALSE(many.Ended(id)) << many.ErrorOf(id);
  many.workers.BecomeReady(0);
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_TRUE(many.Report(id).warnings.empty());
}

}  // namespace
}  // namespace procpool
