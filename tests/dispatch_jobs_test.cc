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

}  // namespace
}  // namespace procpool
