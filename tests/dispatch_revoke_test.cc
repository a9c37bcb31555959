// The dispatch takes back what a worker has not begun: for a worker that has nothing, and when its
// job is cancelled or ends.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;
constexpr Nanoseconds kLong = 50 * kMillisecond;

// Two workers; the first has items 0 and 1 and has begun item 0, the second has done the others.
class DispatchRevoke : public ::testing::Test {
 protected:
  void GiveAll(const JobOptions& options = {}, std::vector<unsigned> owners = {}) {
    job.emplace(4, std::move(owners));
    many.workers.can_revoke = true;
    many.workers.start_by_hand = true;
    id = many.Begin(*job, options);
    many.workers.BecomeReady(0);
    many.Turn(2);
    ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
    many.workers.Begins(0, 0);
    many.workers.BecomeReady(1);
    many.Turn(2);
    many.workers.Answer(1);
    many.workers.Answer(1);
    many.Turn();
  }

  std::optional<ListedJob> job;
  ManyJobs many{2};
  std::uint32_t id = 0;
};

TEST_F(DispatchRevoke, WhatLiesBehindALongItemGoesToAWorkerThatHasNothing) {
  GiveAll();
  many.Pass(kLong);
  many.Turn();
  ASSERT_EQ(many.workers.revoked.size(), 1U);
  EXPECT_EQ(many.workers.revoked[0].worker, 0U);
  EXPECT_EQ(many.workers.revoked[0].item.given, (GivenItem{1, 0}));
  const FakeJobWorkers::Given last = many.workers.log.back();
  EXPECT_EQ(last.worker, 1U);
  EXPECT_EQ(last.item.given, (GivenItem{1, 0})) << "nothing was tried";
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 4U);
  EXPECT_EQ(many.Report(id).retries, 0U) << "it was not begun before";
  EXPECT_EQ(job->returned[1], 1);
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST_F(DispatchRevoke, AnAnswerToWhatWasTakenBackIsRefused) {
  GiveAll();
  many.Pass(kLong);
  many.Turn();
  ASSERT_EQ(many.workers.revoked.size(), 1U);
  many.workers.AnswerItem(0, many.workers.revoked[0].item);
  many.Turn(2);
  EXPECT_TRUE(many.workers.WasKilled(0));
  EXPECT_EQ(job->completed[1], 0);
}

TEST_F(DispatchRevoke, WhatCannotBeMovedIsNotTriedWithoutAPause) {
  GiveAll();
  many.workers.Begins(0, 1);
  many.Pass(kLong);
  const Deadline deadline = Deadline::After(20 * kSecond);
  do {
    ASSERT_FALSE(deadline.Passed()) << "it never sleeps";
    many.dispatch.Turn(Deadline::Far());
  } while (many.workers.last_deadline.time() <= many.workers.waited_at);
  many.Finish();
}

TEST_F(DispatchRevoke, WhatHasBegunStays) {
  GiveAll();
  many.workers.Begins(0, 1);  // the answer to item 0 is on its way
  many.Pass(kLong);
  many.Turn(3);
  EXPECT_TRUE(many.workers.revoked.empty());
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST_F(DispatchRevoke, AShareOfItsOwnStays) {
  GiveAll({}, {0, 0, 1, 1});
  many.Pass(kLong);
  many.Turn(3);
  EXPECT_TRUE(many.workers.revoked.empty());
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST_F(DispatchRevoke, ACancelledItemBehindAnothersGoesWithoutAKill) {
  ListedJob running(1);
  ListedJob waiting(1);
  ManyJobs one(1);
  one.workers.can_revoke = true;
  const auto a = one.Begin(running);
  const auto b = one.Begin(waiting);
  one.Turn(2);
  ASSERT_EQ(one.workers.slots_[0].given.size(), 2U);
  one.workers.Begins(0, 0);
  one.dispatch.Cancel(b);
  one.Turn();
  ASSERT_TRUE(one.Ended(b)) << "though the other job goes on";
  EXPECT_EQ(one.StatusOf(b), Status::kInterrupted);
  EXPECT_FALSE(one.Ended(a));
  EXPECT_TRUE(one.workers.kills.empty());
  EXPECT_EQ(waiting.returned[0], 1);
  one.Finish();
  EXPECT_EQ(one.StatusOf(a), Status::kDone);
}

TEST_F(DispatchRevoke, AJobThatEndsWithAnErrorKillsOnlyWhoRunsIt) {
  ListedJob running(1);
  ListedJob broken(2);
  broken.throws_in = "GiveUp";
  ManyJobs one(2);
  one.workers.can_revoke = true;
  const auto a = one.Begin(running);
  one.Turn(2);
  const auto b = one.Begin(broken);
  one.Turn(2);
  // One item of it on each worker; the one behind the running job's has not begun.
  ASSERT_EQ(one.workers.slots_[0].given.size() + one.workers.slots_[1].given.size(), 3U);
  const std::size_t busy = one.workers.slots_[0].given.front().job == a ? 0 : 1;
  one.workers.Begins(busy, 0);
  one.workers.Throw(1 - busy);
  one.Turn(2);
  ASSERT_TRUE(one.Ended(b));
  EXPECT_NE(one.ErrorOf(b), "");
  EXPECT_FALSE(one.workers.WasKilled(busy));
  one.Finish();
  EXPECT_EQ(one.StatusOf(a), Status::kDone);
}

// It was too late to take the item back when it was cancelled, and is not when the job ends.
TEST_F(DispatchRevoke, AJobWhoseCancelledItemComesBackAtItsEndEndsOnce) {
  GiveAll();
  many.workers.can_revoke = false;
  many.dispatch.CancelItem(id, 1);
  many.workers.can_revoke = true;
  many.dispatch.EndJobs();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(job->given_up.size(), 1U);
  many.Turn();  // of the job nothing is left to settle
}

}  // namespace
}  // namespace procpool
