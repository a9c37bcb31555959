// The dispatch with many jobs side by side: who is served when, who learns what, and that no job
// pays for another one.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;
using Items = std::vector<std::size_t>;

TEST(DispatchJobs, AreServedInTheOrderInWhichTheyBegan) {
  ManyJobs many(1);
  ListedJob first(3);
  ListedJob second(2);
  ListedJob third(1);
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  const auto c = many.Begin(third);
  many.Finish();
  EXPECT_EQ(many.order, (std::vector{a, b, c}));
  std::vector<std::uint32_t> served;
  for (const auto& given : many.workers.log) served.push_back(given.item.job);
  EXPECT_EQ(served, (std::vector{a, a, a, b, b, c}));
}

TEST(DispatchJobs, ALaterJobUsesWorkersThatAnEarlierOneLeavesIdle) {
  ManyJobs many(3);
  ListedJob one(1);
  ListedJob two(2);
  const auto a = many.Begin(one);
  const auto b = many.Begin(two);
  many.Turn(2);
  std::vector<bool> busy(3);
  for (const auto& given : many.workers.log) busy[given.worker] = true;
  EXPECT_EQ(busy, std::vector<bool>(3, true));
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
}

TEST(DispatchJobs, EachGetsItsOwnReport) {
  ManyJobs many(1);
  ListedJob good(3);
  ListedJob bad(2);
  const auto a = many.Begin(good);
  const auto b = many.Begin(bad);
  many.Turn(2);
  for (int answers = 0; answers < 3; ++answers) {
    many.workers.Answer(0);
    many.Turn();
  }
  ASSERT_TRUE(many.Ended(a));
  ASSERT_EQ(many.workers.slots_[0].given.front().job, b);
  many.workers.Throw(0);
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.Report(a).items_done, 3U);
  EXPECT_TRUE(many.Report(a).given_up.empty());
  EXPECT_EQ(many.StatusOf(b), Status::kFailed);
  EXPECT_EQ(many.Report(b).items_done, 1U);
  ASSERT_EQ(many.Report(b).given_up.size(), 1U);
  EXPECT_EQ(many.Report(b).given_up[0].cause, GivenUpItem::Cause::kThrew);
  EXPECT_EQ(many.Report(b).given_up[0].type, "std::runtime_error");
  EXPECT_EQ(many.Report(b).given_up[0].text, "no");
  EXPECT_EQ(many.Report(b).given_up[0].pid, many.workers.pid(0));
}

TEST(DispatchJobs, CreditCountsTheItemsOfAllJobs) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(10);
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  many.Turn(5);
  EXPECT_EQ(many.workers.ItemsOf(a), Items{0});
  EXPECT_EQ(many.workers.ItemsOf(b), Items{0}) << "one to work on and one to go on with";
  many.Finish();
}

TEST(DispatchJobs, AnEmptyJobEndsThoughOthersRun) {
  ManyJobs many(1);
  ListedJob long_one(5);
  ListedJob empty(0);
  const auto a = many.Begin(long_one);
  many.Turn(2);
  const auto b = many.Begin(empty);
  many.Turn();
  EXPECT_TRUE(many.Ended(b));
  EXPECT_FALSE(many.Ended(a));
  many.Finish();
}

TEST(DispatchJobs, AnAnswerCountsForTheJobThatItNames) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(1);
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 2U);
  many.workers.AnswerItem(0, {b, {0, 0}});  // out of order, as no worker does, but it is its item
  many.Turn();
  EXPECT_TRUE(many.Ended(b));
  EXPECT_FALSE(many.Ended(a));
  many.Finish();
  EXPECT_EQ(first.completed[0], 1);
  EXPECT_EQ(second.completed[0], 1);
  EXPECT_TRUE(many.workers.kills.empty());
}

TEST(DispatchJobs, AnAnswerToAJobThatIsOverIsRefused) {
  ManyJobs many(2);
  ListedJob first(1);
  ListedJob second(8);
  const auto a = many.Begin(first);
  const auto b = many.Begin(second);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(a));
  many.workers.AnswerItem(0, {a, {0, 0}});
  many.Turn();
  EXPECT_TRUE(many.workers.WasKilled(0));
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone) << many.Report(b).error;
  EXPECT_EQ(many.Report(b).items_done, 8U);
}

TEST(DispatchJobs, ADeathIsBlamedOnTheJobWhoseItemHadBegun) {
  ManyJobs many(1);
  ListedJob first(1);
  ListedJob second(1);
  const auto a = many.Begin(first, {.most_deaths = 1});
  const auto b = many.Begin(second, {.most_deaths = 1});
  many.Turn(2);
  many.workers.Begins(0, 1);  // the answer to the first one was lost with the worker
  many.workers.Crash(0);
  many.Turn(2);
  ASSERT_TRUE(many.Ended(b));
  EXPECT_EQ(many.StatusOf(b), Status::kFailed);
  EXPECT_EQ(many.Report(b).deaths, 1U);
  EXPECT_EQ(second.given_up.count(0), 1U);
  EXPECT_EQ(second.given_up[0].exit.value, 11);
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.Report(a).deaths, 0U);
  EXPECT_EQ(many.Report(a).retries, 1U);
  EXPECT_EQ(first.returned[0], 1);
  EXPECT_EQ(first.completed[0], 1);
}

TEST(DispatchJobs, ADeathIsBlamedOnTheOldestItemIfNothingElseIsKnown) {
  for (const bool claims : {false, true}) {
    ManyJobs many(1);
    ListedJob first(1);
    ListedJob second(3);
    const auto a = many.Begin(first, {.most_deaths = 1});
    const auto b = many.Begin(second, {.most_deaths = 1});
    many.Turn(2);
    // An item that it was not given is not believed.
    if (claims) many.workers.slots_[0].begun = BegunItem{{b, {2, 0}}};
    many.workers.Crash(0);
    many.Turn(2);
    ASSERT_TRUE(many.Ended(a));
    EXPECT_EQ(many.StatusOf(a), Status::kFailed);
    many.Finish();
    EXPECT_EQ(many.StatusOf(b), Status::kDone);
    EXPECT_EQ(many.Report(b).deaths, 0U);
  }
}

TEST(DispatchJobs, AWorkerThatDiesBetweenItemsIsOneJobsDeathAndNobodysItem) {
  ManyJobs many(3);
  ListedJob first(1);
  ListedJob second(1);
  const auto a = many.Begin(first, {.most_deaths = 1});
  const auto b = many.Begin(second, {.most_deaths = 1});
  many.Turn(2);
  ASSERT_TRUE(many.workers.slots_[2].given.empty());
  many.workers.Crash(2);
  many.Turn();
  many.Finish();
  EXPECT_EQ(many.Report(a).deaths, 1U) << "the one that began first";
  EXPECT_EQ(many.Report(b).deaths, 0U);
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
}

TEST(DispatchJobs, WorkersAreReplacedAfterSoManyTasksOfWhateverJob) {
  ManyJobs many(1);
  ListedJob first(3);
  ListedJob second(5);
  first.tasks_per_item = 2;
  const JobOptions options{.most_tasks_per_worker = 5};
  const auto a = many.Begin(first, options);
  const auto b = many.Begin(second, options);
  many.Finish();
  EXPECT_EQ(many.StatusOf(a), Status::kDone);
  EXPECT_EQ(many.StatusOf(b), Status::kDone);
  EXPECT_EQ(many.Report(a).deaths + many.Report(b).deaths, 0U);
  // Three items of two tasks, then five of one: the third item is the first worker's last.
  std::map<std::size_t, std::uint64_t> tasks;
  for (const auto* job : {&a, &b}) {
    for (const WorkerTally& tally : many.Report(*job).tallies) {
      tasks[tally.record] += tally.items * (job == &a ? 2 : 1);
    }
  }
  EXPECT_EQ(tasks, (std::map<std::size_t, std::uint64_t>{{0, 6}, {1, 5}}));
}

// ---- a job whose functions throw

class DispatchThrow : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Functions, DispatchThrow,
                         ::testing::Values("items", "Begin", "PlaceFor", "Complete", "Return",
                                           "GiveUp", "StepThrew", "MoreMayCome", "Recheck"),
                         [](const auto& param) { return param.param; });

TEST_P(DispatchThrow, EndsThatJobAlone) {
  ManyJobs many(2);
  ListedJob bad(4);
  ListedJob good(20);
  const auto a = many.Begin(bad, {.most_deaths = 1});
  bad.throws_in = GetParam();
  const auto b = many.Begin(good, {.most_deaths = 1});
  many.Turn(2);
  if (GetParam() == "Return" || GetParam() == "GiveUp") {
    many.workers.Crash(0);
  } else if (GetParam() == "StepThrew") {
    many.workers.StepThrew(0, {a, {0, 0}}, 0);
  }
  many.Finish();
  EXPECT_EQ(many.ErrorOf(a), "thrown in " + GetParam());
  EXPECT_EQ(many.StatusOf(b), Status::kDone) << many.Report(b).error;
  EXPECT_EQ(many.ErrorOf(b), "");
  EXPECT_EQ(many.Report(b).items_done, 20U);
  EXPECT_EQ(many.Report(b).deaths, 0U) << "the other job is blamed for the workers it lost";
  EXPECT_TRUE(good.given_up.empty());
}

TEST(DispatchJobs, NoWorkerGoesOnWithItemsOfAJobThatHasEnded) {
  ManyJobs many(2);
  ListedJob bad(4);
  ListedJob good(4);
  bad.throws_in = "Complete";
  const auto a = many.Begin(bad);
  many.Begin(good, {.most_deaths = 1});
  many.Turn(2);
  ASSERT_EQ(many.workers.ItemsOf(a).size(), 4U);
  many.workers.Answer(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(a));
  EXPECT_TRUE(many.workers.WasKilled(0) && many.workers.WasKilled(1));
  many.Finish();
}

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
