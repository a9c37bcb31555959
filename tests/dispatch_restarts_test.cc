// The dispatch with workers that die again and again: how long they are replaced, how soon, and
// what the jobs end with.
#include <gtest/gtest.h>

#include <string>

#include "master/back_off.h"
#include "tests/many_jobs.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

constexpr Nanoseconds kLong = 100'000 * kSecond;  // no test takes as long

// ---- the limit

TEST(DispatchRestarts, MoreThanAllowedEndEveryJob) {
  ManyJobs many(2, RestartLimit(3, kLong));
  ListedJob first(10);
  ListedJob second(10);
  const auto a = many.Begin(first, {.most_deaths = 100});
  const auto b = many.Begin(second, {.most_deaths = 100});
  many.Turn(2);
  for (int death = 0; death < 3; ++death) {
    many.workers.Crash(0);
    many.Turn(3);
    ASSERT_FALSE(many.Ended(a)) << "so many are allowed";
    ASSERT_TRUE(many.workers.IsReady(0)) << "it was not replaced";
  }
  many.workers.Crash(0);
  many.Turn();
  ASSERT_TRUE(many.Ended(a) && many.Ended(b));
  EXPECT_EQ(many.StatusOf(a), Status::kFailed);
  EXPECT_EQ(many.StatusOf(b), Status::kFailed);
  EXPECT_EQ(
      many.Report(a).error,
      "cannot replace workers that died: more than 3 died within 100000 s; the last: worker 0 "
      "(pid 1000) killed by signal 11 (SIGSEGV); see why they die, or allow more restarts");
  EXPECT_EQ(many.Report(b).error, many.Report(a).error);
  many.Turn(3);
  EXPECT_EQ(many.workers.alive(), 0U) << "who was killed with its job is not replaced either";
}

TEST(DispatchRestarts, NobodyIsReplacedUntilTheNextJobBegins) {
  ManyJobs many(3, RestartLimit(1, kLong));
  ListedJob job(30);
  many.Begin(job, {.most_deaths = 100});
  many.Turn(2);
  // All three within one turn: the second one is too many, and nobody comes in the place of either.
  for (std::size_t worker = 0; worker < 3; ++worker) many.workers.Crash(worker);
  many.Turn(5);
  EXPECT_EQ(many.workers.kept_empty, 2) << "what waited to be spawned is not spawned any more";
  EXPECT_EQ(many.workers.replaced.size(), 3U + 1U) << "the first ones, and the first replacement";
  if (many.workers.IsReady(0)) many.workers.Crash(0);
  many.Turn(5);
  EXPECT_EQ(many.workers.alive(), 0U);
  ListedJob next(30);
  const auto after = many.Begin(next);
  many.Turn(2);
  many.workers.Crash(0);
  many.Turn(2);
  many.Finish();
  EXPECT_EQ(many.StatusOf(after), Status::kDone)
      << "what was before it counts: " << many.Report(after).error;
}

TEST(DispatchRestarts, AJobThatWaitedFindsWorkersWhenItGoesOn) {
  ManyJobs many(1, RestartLimit(0, kLong));
  ListedJob job(1);
  job.more_may_come = true;
  const auto id = many.Begin(job);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn();
  many.workers.Crash(0);
  many.Turn(3);
  EXPECT_EQ(many.workers.alive(), 0U) << "not even one may be replaced";
  EXPECT_FALSE(many.Ended(id)) << "it had nothing to do";
  job.count = 3;
  job.more_may_come = false;
  many.dispatch.Grown(id);
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

TEST(DispatchRestarts, AJobThatBeginsWhileTheOthersAreEndingFindsWorkers) {
  ManyJobs many(1, RestartLimit(0, kLong));
  ListedJob first(5);
  ListedJob second(5);
  const auto a = many.Begin(first, {.most_deaths = 100});
  many.Turn(2);
  many.workers.Crash(0);
  std::uint32_t b = 0;
  many.workers.Next([&](WorkerEvents&) { b = many.Begin(second); });
  many.Turn();
  EXPECT_EQ(many.StatusOf(a), Status::kFailed);
  ASSERT_FALSE(many.Ended(b));
  many.Finish();
  EXPECT_EQ(many.StatusOf(b), Status::kDone) << many.Report(b).error;
}

TEST(DispatchRestarts, WhoLeavesOnRequestIsReplacedAsOftenAsItTakes) {
  ManyJobs many(2, RestartLimit(0, kLong));
  ListedJob job(20);
  const auto id = many.Begin(job, {.most_tasks_per_worker = 2});
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone) << many.Report(id).error;
  EXPECT_GE(many.workers.replaced.size(), 10U);
}

TEST(DispatchRestarts, WhoIsKilledForACancellationIsReplacedToo) {
  ManyJobs many(2, RestartLimit(0, kLong));
  ListedJob cancelled(2);
  ListedJob other(50);
  const auto a = many.Begin(cancelled);
  many.Turn(2);
  many.Begin(other);
  many.dispatch.Cancel(a);
  many.TurnUntilKilled(2);
  many.Finish();
  EXPECT_EQ(many.workers.replaced.size(), 4U);
  EXPECT_EQ(other.completed.size(), 50U);
}

TEST(DispatchRestarts, AndWhoIsKilledWithAJobThatEndedThoughNothingIsLeftToDo) {
  ManyJobs many(2, RestartLimit(0, kLong));
  ListedJob bad(4);
  bad.throws_in = "Complete";
  const auto id = many.Begin(bad);
  many.Turn(2);
  many.workers.Answer(0);
  many.Turn(3);
  ASSERT_TRUE(many.Ended(id));
  ASSERT_TRUE(many.workers.WasKilled(0) && many.workers.WasKilled(1));
  EXPECT_TRUE(many.workers.IsReady(0) && many.workers.IsReady(1));
}

// ---- deaths that serve nothing

// Ready, and gone before it could be given anything.
void ReadyAndGone(ManyJobs& many, std::size_t worker) {
  many.workers.Next([&many, worker](WorkerEvents& events) {
    many.workers.slots_[worker] = {};
    events.OnReady(worker);
    events.OnGone(worker, {.exit = {ProcessExit::Kind::kSignalled, 6}, .was_ready = true});
  });
  many.Turn();
}

TEST(DispatchRestarts, WorkersThatDieBeforeTheyAreGivenAnythingEndTheJobHoweverSlowlyTheyDie) {
  ManyJobs many(2, RestartLimit(0, 0));  // any number
  many.workers.start_by_hand = true;
  ListedJob job(5);
  const auto id = many.Begin(job);
  int deaths = 0;
  for (; deaths < 100 && !many.Ended(id); ++deaths) ReadyAndGone(many, deaths % 2);
  ASSERT_TRUE(many.Ended(id)) << "it would go on for ever";
  EXPECT_GT(deaths, 5);
  EXPECT_EQ(many.StatusOf(id), Status::kFailed);
  EXPECT_NE(many.Report(id).error.find("before they are given anything"), std::string::npos)
      << many.Report(id).error;
  EXPECT_NE(many.Report(id).error.find("signal 6"), std::string::npos) << many.Report(id).error;
}

TEST(DispatchRestarts, ButNotWhileAnotherWorkerIsAtWork) {
  ManyJobs many(2, RestartLimit(0, 0));
  ListedJob job(1);
  const auto id = many.Begin(job);
  many.Turn(2);
  ASSERT_EQ(many.workers.slots_[0].given.size(), 1U);
  for (int death = 0; death < 100; ++death) ReadyAndGone(many, 1);
  ASSERT_FALSE(many.Ended(id)) << "it waits for what worker 0 does";
  many.Finish();
  EXPECT_EQ(many.StatusOf(id), Status::kDone);
}

// ---- the wait after failures at start

class DispatchBackOff : public ::testing::Test {
 protected:
  DispatchBackOff() { many_.workers.start_by_hand = true; }
  /// The worker dies before it is ready; its replacement waits for so long.
  void FailToStart(Nanoseconds wait, std::size_t worker = 0) {
    const std::size_t before = many_.workers.replaced.size();
    const Nanoseconds begun = Now();
    many_.workers.Crash(worker);
    many_.Turn();
    ASSERT_EQ(many_.workers.replaced.size(), before + 1) << "it was not replaced";
    const Nanoseconds earliest = many_.workers.replaced.back().second;
    EXPECT_GE(earliest, begun + wait);
    EXPECT_LE(earliest, Now() + wait);
  }

  ManyJobs many_{1};
};

TEST_F(DispatchBackOff, GrowsUntilTheJobEnds) {
  ListedJob job(5);
  const auto id = many_.Begin(job);
  many_.Turn();
  FailToStart(0);
  FailToStart(10 * kMillisecond);
  FailToStart(20 * kMillisecond);
  FailToStart(40 * kMillisecond);
  EXPECT_FALSE(many_.Ended(id));
  many_.workers.Crash(0);
  many_.Turn();
  ASSERT_TRUE(many_.Ended(id));
  EXPECT_NE(many_.ErrorOf(id).find("5 times in a row"), std::string::npos) << many_.ErrorOf(id);
}

TEST_F(DispatchBackOff, BeginsAnewOnceAWorkerIsReady) {
  ListedJob job(5);
  many_.Begin(job, {.most_deaths = 100});
  many_.Turn();
  for (int round = 0; round < 5; ++round) {
    FailToStart(0);
    FailToStart(10 * kMillisecond);
    FailToStart(20 * kMillisecond);
    many_.workers.BecomeReady(0);
    many_.Turn(2);
    ASSERT_TRUE(many_.workers.IsReady(0));
    many_.workers.Crash(0);
    many_.Turn();
    EXPECT_EQ(many_.workers.replaced.back().second, 0) << "who was ready is replaced at once";
  }
}

TEST_F(DispatchBackOff, StoppedTimeDoesNotCount) {
  ManyJobs many(2);
  many.workers.start_by_hand = true;
  ListedJob job(5);
  many.Begin(job);
  many.workers.Crash(0);
  many.Turn();
  many.workers.Crash(0);
  many.Turn();
  const Nanoseconds earliest = many.workers.replaced.back().second;
  many.dispatch.Suspend();
  many.dispatch.Resume(kSecond);
  // Whoever is replaced now waits as well, for nobody has shown that a worker can start.
  many.workers.Leave(1);
  many.Turn();
  EXPECT_EQ(many.workers.replaced.back(),
            (std::pair<std::size_t, Nanoseconds>(1, earliest + kSecond)));
}

TEST_F(DispatchBackOff, WithNothingToDoItIsTriedAgainButNotForEver) {
  ListedJob job(0);
  job.more_may_come = true;
  const auto id = many_.Begin(job);
  many_.Turn();
  FailToStart(0);
  FailToStart(10 * kMillisecond);
  many_.workers.Crash(0);
  many_.Turn();
  int tries = 2;
  for (; many_.workers.alive() > 0 && tries < 100; ++tries) {
    many_.workers.Crash(0);
    many_.Turn();
  }
  EXPECT_LT(tries, 100) << "nothing needs it";
  EXPECT_FALSE(many_.Ended(id));
  // Then it is tried at once.
  job.count = 2;
  job.more_may_come = false;
  many_.dispatch.Grown(id);
  EXPECT_EQ(many_.workers.replaced.back().second, 0);
  many_.workers.BecomeReady(0);
  many_.Turn(2);
  many_.Finish();
  EXPECT_EQ(many_.StatusOf(id), Status::kDone);
}

}  // namespace
}  // namespace procpool
