// The dispatch with jobs that grow while they run, items whose input cannot be made, and jobs that
// wait for more.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;
using Items = std::vector<std::size_t>;

// ---- jobs that grow

TEST(DispatchGrown, NewItemsOfARunningJobAreGivenOut) {
  ManyJobs many(2);
  ListedJob job(2);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.workers.Answer(1);
  many.Turn(3);
  EXPECT_FALSE(many.Ended(id)) << "more may come";
  job.count = 5;
  many.dispatch.Grown(id);
  many.Turn();
  EXPECT_EQ(many.workers.ItemsOf(id).size(), 5U);
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 5U);
}

TEST(DispatchGrown, AJobEndsOnceItIsToldThatNoMoreCome) {
  ManyJobs many(1);
  ListedJob job(0);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(3);
  EXPECT_FALSE(many.Ended(id));
  job.more_may_come = false;
  many.Turn(3);
  EXPECT_FALSE(many.Ended(id)) << "it was not told yet";
  many.dispatch.Grown(id);
  many.Turn();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST(DispatchGrown, AnAnswerMayBringNewItems) {
  ManyJobs many(1);
  ListedJob job(1);
  job.on_complete = [&](std::uint64_t item) {
    if (item < 9) ++job.count;
  };
  const auto id = many.Begin(job);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 10U);
}

TEST(DispatchGrown, WhatAnAnswerBringsNeedNotWaitForTheOthers) {
  ManyJobs many(2);
  ListedJob job(2);
  job.on_complete = [&](std::uint64_t) { job.count = 4; };
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn(2);
  EXPECT_EQ(many.workers.ItemsOf(id).size(), 4U) << "item 1 has no answer yet";
  many.Finish();
}

// Each item that is given up comes again as two.
class SplittingJob final : public ListedJob {
 public:
  explicit SplittingJob(std::size_t items) : ListedJob(items) {}
  void GiveUp(const GivenUpItem& item) override {
    ListedJob::GiveUp(item);
    count += 2;
  }
};

TEST(DispatchGrown, WhatBecomesOfAnItemThatIsGivenUpNeedNotWaitForTheOthers) {
  ManyJobs many(2);
  SplittingJob job(2);
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Throw(0);
  many.Turn(2);
  EXPECT_EQ(many.workers.ItemsOf(id).size(), 4U) << "item 1 has no answer yet";
  many.Finish();
}

TEST(DispatchGrown, AnItemThatIsGivenUpMayBringNewOnes) {
  ManyJobs many(1);
  SplittingJob job(1);
  const auto id = many.Begin(job, {.most_deaths = 1, .quiet_failures = true});
  many.Turn(2);
  many.workers.Crash(0);
  many.Turn();
  EXPECT_FALSE(many.Ended(id));
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone) << "who hears of each failure himself decides";
  EXPECT_TRUE(many.Report(id).given_up.empty());
  EXPECT_EQ(job.completed.size(), 2U);
}

// Another thread brings the last items, and says that there are no more, just when all that the
// dispatch knows of is answered.
TEST(DispatchGrown, ItemsThatComeTogetherWithTheEndAreNotLost) {
  class LastMoment final : public ListedJob {
   public:
    LastMoment() : ListedJob(1) {}
    std::size_t items() const override { return more_may_come_ ? 1 : 3; }
    bool MoreMayCome() const override {
      const bool was = more_may_come_;
      if (!completed.empty()) more_may_come_ = false;
      return was && more_may_come_;
    }

   private:
    mutable bool more_may_come_ = true;
  };
  ManyJobs many(1);
  LastMoment job;
  const auto id = many.Begin(job);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, 3U);
}

TEST(DispatchGrown, ANumberThatNamesNoJobIsIgnored) {
  ManyJobs many(1);
  ListedJob job(1);
  const auto id = many.Begin(job);
  many.Finish();
  for (const std::uint32_t number : {0U, id, id + 1}) {
    many.dispatch.Grown(number);
    many.dispatch.Cancel(number);
  }
  many.Turn();
  EXPECT_TRUE(many.dispatch.Idle());
}

TEST(DispatchGrown, AnEndlessJobIsServedAsLongAsItGrows) {
  ManyJobs many(2);
  ListedJob job(4);
  job.more_may_come = true;
  const auto id = many.Begin(job, {.endless = true, .quiet_failures = true});
  many.Turn(2);
  while (job.count < 20'000) {
    for (std::size_t worker = 0; worker < 2; ++worker) {
      if (many.workers.slots_[worker].given.empty()) continue;
      many.workers.Answer(worker);
      ++job.count;
    }
    many.dispatch.Grown(id);
    many.Turn();
  }
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).items_done, job.count);
  EXPECT_EQ(job.completed.size(), job.count);
}

// ---- items that cannot be given

TEST(DispatchRefused, AnItemWhoseInputCannotBeMadeEndsAlone) {
  ManyJobs many(2);
  ListedJob job(6);
  job.refuses = true;
  job.bad_items = {0, 3, 5};
  const auto id = many.Begin(job);
  many.Turn(3);
  many.Finish();
  EXPECT_EQ(job.refused, (std::vector<std::uint64_t>{0, 3, 5}));
  EXPECT_EQ(many.workers.ItemsOf(id), (Items{1, 2, 4}));
  EXPECT_EQ(many.Report(id).items_done, 3U);
  EXPECT_TRUE(many.Report(id).all_answered);
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST(DispatchRefused, OrTheJobEndsByIt) {
  ManyJobs many(1);
  ListedJob job(6);
  job.bad_items = {2};
  const auto id = many.Begin(job);
  many.Turn(3);
  many.Finish();
  EXPECT_EQ(many.ErrorOf(id), "thrown for an item");
}

// ---- jobs that wait for more

TEST(DispatchIdle, AJobThatWaitsForMoreIsNothingToDo) {
  ManyJobs many(1);
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  EXPECT_FALSE(many.dispatch.Idle());
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  EXPECT_TRUE(many.dispatch.Idle());
  EXPECT_FALSE(many.Ended(id));
  job.count = 2;
  job.more_may_come = false;
  many.dispatch.Grown(id);
  EXPECT_FALSE(many.dispatch.Idle());
  many.Finish();
  EXPECT_TRUE(many.Ended(id));
}

TEST(DispatchIdle, WhoDiesMeanwhileIsReplacedAndNobodysFault) {
  ManyJobs many(1);
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job, {.most_deaths = 1});
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  many.workers.Crash(0);
  many.Turn(3);
  EXPECT_TRUE(many.workers.IsReady(0));
  job.count = 3;
  many.dispatch.Grown(id);
  many.Turn(2);
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.Finish();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
  EXPECT_EQ(many.Report(id).deaths, 0U);
  EXPECT_EQ(many.Report(id).items_done, 3U);
}

// Who dies again and again with nothing to do is left alone, until there is something to do.
TEST(DispatchIdle, DeathsWithNothingToDoEndNoJob) {
  ManyJobs many(1);
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  int deaths = 0;
  for (; deaths < 100 && many.workers.IsReady(0); ++deaths) {
    many.workers.Crash(0);
    many.Turn(3);
  }
  EXPECT_LT(deaths, 100) << "each was replaced by one that died";
  EXPECT_FALSE(many.Ended(id));
  job.count = 2;
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.Turn(2);
  many.Finish();
  ASSERT_TRUE(many.Ended(id));
  EXPECT_EQ(many.StatusOf(id), Status::kDone) << many.Report(id).error;
}

}  // namespace
}  // namespace procpool
