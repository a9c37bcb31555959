// The dispatch when a job is cancelled: what was not begun never runs, who runs it is ended soon,
// and no other job loses anything but time.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

TEST(DispatchCancel, WhatNobodyHasIsNeverGivenOut) {
  ManyJobs many(1);
  ListedJob job(10);
  const auto id = many.Begin(job);
  many.dispatch.Cancel(id);
  many.Turn(3);
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted);
  EXPECT_TRUE(many.workers.log.empty());
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST(DispatchCancel, AWorkerThatGoesOnIsKilled) {
  ManyJobs many(1);
  ListedJob job(10);
  const auto id = many.Begin(job, {.most_deaths = 1});
  many.Turn(2);
  const std::size_t given = many.workers.log.size();
  many.dispatch.Cancel(id);
  ASSERT_NO_FATAL_FAILURE(many.TurnUntilKilled(1));
  EXPECT_NE(many.workers.kills[0].second.find("cancelled"), std::string::npos);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted);
  EXPECT_EQ(many.workers.log.size(), given) << "something was given out after that";
  EXPECT_EQ(many.Report(id).deaths, 0U) << "the pool's own deed is nobody's fault";
  EXPECT_TRUE(job.given_up.empty());
  EXPECT_EQ(job.returned.size(), given);
}

TEST(DispatchCancel, NoOtherJobIsToBlameForTheWorker) {
  ManyJobs many(1);
  ListedJob cancelled(1);
  ListedJob other(4);
  const auto a = many.Begin(cancelled, {.most_deaths = 1});
  const auto b = many.Begin(other, {.most_deaths = 1});
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.workers.Begins(0, 0);
  many.dispatch.Cancel(a);
  ASSERT_NO_FATAL_FAILURE(many.TurnUntilKilled(1));
  many.Turn();
  ASSERT_TRUE(many.Ended(a));
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone) << many.Report(b).error;
  EXPECT_EQ(many.Report(b).items_done, 4U);
  EXPECT_EQ(many.Report(b).deaths, 0U);
  EXPECT_EQ(many.Report(b).retries, 1U) << "its item was given out again";
  EXPECT_TRUE(many.Report(b).warnings.empty());
  EXPECT_EQ(other.returned[0], 1);
}

TEST(DispatchCancel, ItDoesNotPassForTheFaultOfAnItemThatHasBegunMeanwhile) {
  ManyJobs many(1);
  ListedJob cancelled(1);
  ListedJob other(1);
  const auto a = many.Begin(cancelled);
  const auto b = many.Begin(other, {.most_deaths = 1});
  many.Turn(2);
  many.dispatch.Cancel(a);
  ASSERT_NO_FATAL_FAILURE(many.TurnUntilKilled(1));
  // Its answer was on the way, and it had gone on to the other job's item.
  many.workers.slots_[0].begun = BegunItem{{b, {0, 0}}};
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
  EXPECT_EQ(many.Report(b).deaths, 0U);
}

TEST(DispatchCancel, WhatIsAnsweredInTimeIsDone) {
  ManyJobs many(1);
  ListedJob job(1);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.Cancel(id);
  many.workers.Answer(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_TRUE(many.workers.kills.empty());
}

// ---- a job among others

TEST(DispatchCancel, OthersGoOnMeanwhile) {
  ManyJobs many(2);
  ListedJob cancelled(1);
  ListedJob other(6);
  const auto a = many.Begin(cancelled);
  const auto b = many.Begin(other);
  many.Turn(2);
  many.dispatch.Cancel(a);
  // Only the worker that has the cancelled item is touched.
  ASSERT_NO_FATAL_FAILURE(many.TurnUntilKilled(1));
  EXPECT_EQ(many.workers.kills[0].first, 0U);
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
  EXPECT_EQ(many.workers.kills.size(), 1U);
}

TEST(DispatchCancel, ASecondTimeChangesNothing) {
  ManyJobs many(1);
  ListedJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.Cancel(id);
  const Deadline overdue = Deadline::After(5 * kMillisecond);
  while (!overdue.Passed()) {
  }
  many.dispatch.Cancel(id);  // does not put the deadline off
  many.Turn();
  EXPECT_EQ(many.workers.kills.size(), 1U);
  many.Turn();
  EXPECT_TRUE(many.Ended(id));
}

TEST(DispatchCancel, AJobThatWaitsForItemsToComeEndsAsInterrupted) {
  ManyJobs many(1);
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn(2);
  ASSERT_FALSE(many.Ended(id));
  many.dispatch.Cancel(id);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted) << "it might have gone on";
}

TEST(DispatchCancel, WhatGrowsAfterwardsIsNotGivenOut) {
  ManyJobs many(1);
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.Cancel(id);
  job.count = 5;
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.workers.Answer(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted);
  EXPECT_EQ(many.workers.log.size(), 1U);
}

TEST(DispatchCancel, AWorkerThatDiesOnItsOwnAfterwardsIsNotReplacedForIt) {
  ManyJobs many(1);
  ListedJob job(5);
  const auto id = many.Begin(job, {.most_deaths = 3});
  many.Turn(2);
  many.dispatch.Cancel(id);
  many.workers.Crash(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted);
  EXPECT_EQ(many.workers.alive(), 0U);
  ListedJob next(2);
  const auto after = many.Begin(next);
  many.Finish();
  EXPECT_EQ(many.StatusOf(after), Status::kDone) << "the next one finds workers all the same";
}

TEST(DispatchAbort, WhoDiesOfItIsNoItemsFault) {
  ManyJobs many(1);
  ListedJob job(3);
  const auto id = many.Begin(job, {.most_deaths = 1});
  many.Turn(2);
  // Another thread's wish and what comes of it are seen while the dispatch waits.
  many.workers.Next([&](WorkerEvents&) { many.dispatch.Abort(); });
  many.workers.Crash(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kInterrupted);
  EXPECT_TRUE(job.given_up.empty());
}

// ---- one item of a job

using Items = std::vector<std::size_t>;

TEST(DispatchCancelItem, OneThatWaitsIsNeverGivenOut) {
  ManyJobs many(1);
  ListedJob job(10);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.CancelItem(id, 7);
  ASSERT_EQ(job.given_up.size(), 1U);
  EXPECT_EQ(job.given_up.at(7).cause, GivenUpItem::Cause::kCancelled);
  many.Finish();
  EXPECT_EQ(many.workers.ItemsOf(id), (Items{0, 1, 2, 3, 4, 5, 6, 8, 9}));
  EXPECT_EQ(many.Report(id).items_done, 9U);
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST(DispatchCancelItem, OneThatWasNotBegunIsTakenBack) {
  ManyJobs many(1);
  many.workers.can_revoke = true;
  ListedJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Begins(0, 0);
  many.dispatch.CancelItem(id, 1);
  EXPECT_EQ(many.workers.revoked.size(), 1U);
  EXPECT_TRUE(job.given_up.contains(1));
  EXPECT_EQ(job.returned[1], 1);
  many.Finish();
  EXPECT_EQ(many.workers.ItemsOf(id), (Items{0, 1})) << "it was not given out again";
  EXPECT_EQ(job.completed, (std::map<std::uint64_t, int>{{0, 1}}));
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST(DispatchCancelItem, AWorkerThatGoesOnWithItIsKilledAndTheOthersRunAgain) {
  ManyJobs many(1);
  ListedJob job(4);
  const auto id = many.Begin(job, {.most_deaths = 1});
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.workers.Begins(0, 0);
  many.dispatch.CancelItem(id, 0);
  many.dispatch.CancelItem(id, 0);
  EXPECT_TRUE(job.given_up.empty()) << "the worker may be about to answer";
  ASSERT_NO_FATAL_FAILURE(many.TurnUntilKilled(1));
  EXPECT_NE(many.workers.kills[0].second.find("cancelled"), std::string::npos);
  many.Turn();
  ASSERT_EQ(job.given_up.size(), 1U);
  EXPECT_EQ(job.given_up.at(0).cause, GivenUpItem::Cause::kCancelled);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kFailed) << "it lacks an item";
  EXPECT_EQ(many.Report(id).deaths, 0U) << "the pool's own deed is nobody's fault";
  EXPECT_EQ(job.completed, (std::map<std::uint64_t, int>{{1, 1}, {2, 1}, {3, 1}}));
  EXPECT_EQ(many.workers.kills.size(), 1U);
}

TEST(DispatchCancelItem, OneThatIsAnsweredInTimeIsDone) {
  ManyJobs many(1);
  ListedJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.dispatch.CancelItem(id, 0);
  many.workers.Answer(0);
  many.Turn();
  EXPECT_EQ(job.completed[0], 1);
  const Deadline overdue = Deadline::After(5 * kMillisecond);
  while (!overdue.Passed()) many.Turn();
  EXPECT_TRUE(many.workers.kills.empty()) << "the item behind it is not to suffer for it";
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

// Its worker dies of something else meanwhile: nobody is to do it again.
TEST(DispatchCancelItem, ADeathFromOutsideEndsIt) {
  ManyJobs many(1);
  ListedJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Begins(0, 0);
  many.dispatch.CancelItem(id, 1);
  many.workers.Crash(0);
  many.Turn();
  EXPECT_TRUE(job.given_up.contains(1));
  many.Finish();
  EXPECT_EQ(job.begun[0], 2);
  EXPECT_EQ(job.begun[1], 1);
}

// There was no room to note that it was taken back.
TEST(DispatchCancelItem, OneThatIsTakenBackLaterIsNotGivenOutAgain) {
  ManyJobs many(2);
  ListedJob job(3);
  const auto id = many.Begin(job);
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.workers.Begins(0, 0);
  const std::uint64_t behind = many.workers.slots_[0].given[1].given.item;
  many.dispatch.CancelItem(id, behind);
  EXPECT_TRUE(job.given_up.empty());
  many.workers.can_revoke = true;
  many.workers.Answer(1);  // and it moves to the one that has nothing, or would
  const Deadline deadline = Deadline::After(20 * kSecond);
  while (job.given_up.empty() && many.workers.kills.empty()) {
    ASSERT_FALSE(deadline.Passed());
    many.Turn();
  }
  EXPECT_TRUE(many.workers.kills.empty());
  EXPECT_EQ(job.begun[behind], 1);
  many.Finish();
}

TEST(DispatchCancelItem, WhatHasEndedOrNeverWasIsIgnored) {
  ManyJobs many(1);
  ListedJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  many.dispatch.CancelItem(id, 0);
  many.dispatch.CancelItem(id, 77);
  many.dispatch.CancelItem(id + 1, 1);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_TRUE(job.given_up.empty());
  many.dispatch.CancelItem(id, 1);
}

}  // namespace
}  // namespace procpool
