// The dispatch with workers that are no processes: every decision it takes, without a clock's or a
// kernel's mood.
#include "master/dispatch.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "common/log.h"
#include "tests/bytes_job.h"
#include "tests/fake_workers.h"
#include "tests/one_job.h"

namespace procpool {
namespace {

class DispatchTest : public ::testing::Test {
 protected:
  void SetUp() override { StartLog("test", "off"); }
};

std::vector<std::string> Inputs(std::size_t count) {
  return std::vector<std::string>(count, "in");
}

TEST_F(DispatchTest, EveryItemIsAnsweredOnce) {
  FakeWorkers workers(3);
  workers.script = [&] { workers.AnswerAll(); };
  BytesJob job("task", Inputs(100));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.items_done, 100U);
  EXPECT_EQ(job.completed.size(), 100U);
  EXPECT_TRUE(workers.ended);
  EXPECT_EQ(workers.ticket.task, "task");
}

TEST_F(DispatchTest, EveryWorkerHasItsFirstItemBeforeAnyHasItsSecond) {
  FakeWorkers workers(3);
  workers.script = [&] { workers.AnswerAll(); };
  BytesJob job("task", Inputs(6));
  static_cast<void>(OneJob(workers, job, {}).Run());
  ASSERT_GE(workers.log.size(), 3U);
  EXPECT_EQ(workers.log[0].first + workers.log[1].first + workers.log[2].first, 0U + 1U + 2U);
}

TEST_F(DispatchTest, ALaterJobGoesToTheWorkerThatIdles) {
  FakeWorkers workers(3);
  workers.script = [] {};  // nobody answers
  std::deque<BytesJob> jobs;
  Dispatch dispatch(workers);
  for (std::size_t i = 0; i < 3; ++i) {
    dispatch.Begin(jobs.emplace_back("task", Inputs(1)), {},
                   [](const JobReport&, const std::exception_ptr&) {});
    dispatch.Turn(Deadline::Far());
    dispatch.Turn(Deadline::Far());
  }
  ASSERT_EQ(workers.log.size(), 3U);
  EXPECT_EQ(workers.log[0].first + workers.log[1].first + workers.log[2].first, 0U + 1U + 2U);
}

TEST_F(DispatchTest, CreditGrowsForTinyItems) {
  FakeWorkers workers(1);
  workers.script = [&] {
    while (!workers.slots_[0].given.empty()) workers.Answer(0);  // answered within microseconds
  };
  BytesJob job("task", Inputs(20'000));
  static_cast<void>(OneJob(workers, job, {}).Run());
  EXPECT_GT(workers.most_given, 8U);
  EXPECT_LE(workers.most_given, 256U);
}

TEST_F(DispatchTest, TheItemThatWasBegunIsBlamedAndRetried) {
  FakeWorkers workers(1);
  int round = 0;
  workers.script = [&] {
    if (round++ == 0) {
      workers.slots_[0].working_on =
          workers.slots_[0].given[1];  // the first one's answer was lost with the worker
      return workers.Crash(0);
    }
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(4));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.deaths, 1U);
  EXPECT_EQ(report.retries, 2U);
  EXPECT_NE(report.warnings.at(0).find("item 1"), std::string::npos) << report.warnings.at(0);
}

TEST_F(DispatchTest, AWorkersWordAboutAnItemItWasNotGivenIsNotBelieved) {
  FakeWorkers workers(1);
  int round = 0;
  workers.script = [&] {
    if (round++ == 0) {
      workers.slots_[0].working_on = GivenItem{3, 0};  // not given yet
      return workers.Crash(0);
    }
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(4));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_NE(report.warnings.at(0).find("item 0"), std::string::npos) << report.warnings.at(0);
}

TEST_F(DispatchTest, AnItemThatKillsIsGivenUpAfterThreeAndTheRestIsDone) {
  FakeWorkers workers(2);
  workers.script = [&] {
    for (std::size_t worker = 0; worker < 2; ++worker) {
      auto& slot = workers.slots_[worker];
      if (slot.given.empty()) continue;
      if (slot.given.front().item == 2) {
        slot.working_on = slot.given.front();
        workers.Crash(worker);
      } else {
        workers.Answer(worker);
      }
    }
  };
  BytesJob job("task", Inputs(10));
  const JobReport report = OneJob(workers, job, {.most_deaths = 3}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_EQ(report.deaths, 3U);
  EXPECT_EQ(report.items_done, 9U);
  ASSERT_EQ(report.given_up.size(), 1U);
  EXPECT_EQ(report.given_up[0].item, 2U);
  EXPECT_EQ(job.given_up.count(2), 1U);
}

TEST_F(DispatchTest, ALateAnswerOfAnEarlierAttemptIsRefused) {
  FakeWorkers workers(1);
  int round = 0;
  bool accepted = true;
  workers.script = [&] {
    if (round == 0) {
      workers.Crash(0);
    } else if (round == 1) {
      accepted = workers.Answer(0, GivenItem{0, 0});  // was given as attempt 0 to the dead worker
    } else {
      workers.AnswerAll();
    }
    ++round;
  };
  BytesJob job("task", Inputs(1));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_FALSE(accepted);
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(job.completed[0], 1);
}

TEST_F(DispatchTest, ADuplicateAnswerIsRefused) {
  FakeWorkers workers(1);
  bool second = true;
  workers.script = [&] {
    const GivenItem given = workers.slots_[0].given.front();
    EXPECT_TRUE(workers.Answer(0, given));
    second = second && workers.Answer(0, given);
  };
  BytesJob job("task", Inputs(3));
  EXPECT_EQ(OneJob(workers, job, {}).Run().status, JobReport::Status::kDone);
  EXPECT_FALSE(second);
}

TEST_F(DispatchTest, AnExceptionIsNotRetried) {
  FakeWorkers workers(1);
  workers.script = [&] {
    workers.slots_[0].given.front().item == 1 ? workers.Throw(0) : workers.Answer(0);
  };
  BytesJob job("task", Inputs(3));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_EQ(report.retries, 0U);
  EXPECT_EQ(report.items_done, 2U);
  EXPECT_NE(report.error.find("std::runtime_error: no"), std::string::npos) << report.error;
}

TEST_F(DispatchTest, AStaticShareIsInheritedByTheReplacement) {
  FakeWorkers workers(2);
  int round = 0;
  workers.script = [&] {
    if (round++ == 1) return workers.Crash(0);
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(20),
               std::vector<unsigned>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(OneJob(workers, job, {}).Run().status, JobReport::Status::kDone);
  for (const auto& [worker, given] : workers.log) EXPECT_EQ(worker, given.item < 10 ? 0U : 1U);
}

TEST_F(DispatchTest, TheShareOfALostSlotIsDoneByTheOthers) {
  FakeWorkers workers(2);
  int round = 0;
  workers.script = [&] {
    if (round++ == 1) {
      workers.Crash(0);
      workers.on_spawn = [&](std::size_t worker) { workers.Lose(worker); };
      return;
    }
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(10), std::vector<unsigned>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1});
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.items_done, 10U);
}

TEST_F(DispatchTest, WorkersThatNeverBecomeReadyAreTheCallersMistake) {
  FakeWorkers workers(2);
  workers.on_spawn = [&](std::size_t worker) {
    workers.Die(
        worker,
        {.exit = {ProcessExit::Kind::kExited, 1}, .program = "/some/program", .was_ready = false});
  };
  BytesJob job("task", Inputs(4));
  OneJob dispatch(workers, job, {});
  try {
    static_cast<void>(dispatch.Run());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kUser);
    EXPECT_NE(std::string(error.what()).find("/some/program"), std::string::npos) << error.what();
  }
}

TEST_F(DispatchTest, WorkersThatCannotStartAnyMoreFailTheJob) {
  FakeWorkers workers(1);
  int round = 0;
  workers.script = [&] {
    if (round++ == 1) {
      workers.on_spawn = [&](std::size_t worker) {
        workers.Die(
            worker,
            {.exit = {ProcessExit::Kind::kExited, 127}, .program = "gone", .was_ready = false});
      };
      return workers.Crash(0);
    }
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(50));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_NE(report.error.find("code 127"), std::string::npos) << report.error;
}

TEST_F(DispatchTest, RecyclingGivesAWorkerAtMostSoMany) {
  FakeWorkers workers(2);
  workers.script = [&] { workers.AnswerAll(); };
  BytesJob job("task", Inputs(30));
  OneJob dispatch(workers, job, {.most_tasks_per_worker = 4});
  const JobReport report = dispatch.Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.deaths, 0U);
  std::uint64_t items = 0;
  for (const WorkerTally& tally : report.tallies) {
    EXPECT_LE(tally.items, 4U);
    items += tally.items;
  }
  EXPECT_EQ(items, 30U);
}

TEST_F(DispatchTest, AFullChannelKeepsTheItemWaiting) {
  FakeWorkers workers(1);
  int round = 0;
  workers.script = [&] {
    workers.full = ++round % 3 == 0;
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(50));
  const JobReport report = OneJob(workers, job, {}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  for (const auto& [worker, given] : workers.log)
    EXPECT_EQ(given.attempt, 0U) << "that was no retry";
}

TEST_F(DispatchTest, ATimeoutKillsTheWorkerOfTheOldestItem) {
  FakeWorkers workers(1);
  workers.script = [&] {
    auto& slot = workers.slots_[0];
    if (!slot.given.empty() && (slot.given.front().item != 1 || slot.given.front().attempt > 0))
      workers.Answer(0);
  };
  BytesJob job("task", Inputs(3));
  const JobReport report = OneJob(workers, job, {.timeout = kMillisecond}).Run();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  ASSERT_EQ(workers.kills.size(), 1U);
  EXPECT_NE(workers.kills[0].find("item 1"), std::string::npos) << workers.kills[0];
}

TEST_F(DispatchTest, InterruptGivesOutNothingMoreButTakesInWhatIsOutstanding) {
  FakeWorkers workers(2);
  BytesJob job("task", Inputs(5000));
  OneJob dispatch(workers, job, {});
  int round = 0;
  workers.script = [&] {
    if (++round == 5) dispatch.Interrupt();
    workers.AnswerAll();
  };
  const JobReport report = dispatch.Run();
  EXPECT_EQ(report.status, JobReport::Status::kInterrupted);
  EXPECT_EQ(report.items_done, workers.log.size()) << "an item that was given out was not taken in";
  EXPECT_LT(report.items_done, 5000U);
}

TEST_F(DispatchTest, AnInterruptAtTheVeryEndLosesNoCheck) {
  class CheckedJob final : public BytesJob {
   public:
    CheckedJob() : BytesJob("task", Inputs(1)) {}
    std::vector<std::uint64_t> Recheck() override {
      ++rechecks;
      return {};
    }
    int rechecks = 0;
  };
  FakeWorkers workers(1);
  CheckedJob job;
  OneJob dispatch(workers, job, {});
  workers.script = [&] {
    dispatch.Interrupt();
    workers.AnswerAll();
  };
  EXPECT_EQ(dispatch.Run().status, JobReport::Status::kDone) << "everything was answered";
  EXPECT_EQ(job.rechecks, 1);
}

TEST_F(DispatchTest, AReopenedItemFindsAWorkerAlthoughTheLastOneHasGone) {
  class SpoiltOnce final : public BytesJob {
   public:
    SpoiltOnce() : BytesJob("task", Inputs(2)) {}
    std::vector<std::uint64_t> Recheck() override {
      if (!std::exchange(spoilt_, false)) return {};
      return {0};
    }

   private:
    bool spoilt_ = true;
  };
  FakeWorkers workers(1);
  SpoiltOnce job;
  int answered = 0;
  workers.script = [&] {
    workers.Answer(0);
    if (++answered == 2) workers.CrashNow(0);
  };
  EXPECT_EQ(OneJob(workers, job, {}).Run().status, JobReport::Status::kDone);
  EXPECT_EQ(job.completed[0], 2);
}

TEST_F(DispatchTest, AnAnswerToAnItemThatWasNotGivenIsRefusedWhateverFrameBringsIt) {
  FakeWorkers workers(1);
  bool accepted = true;
  workers.script = [&] {
    accepted = workers.DeliverUnasked(0, 4711);
    workers.AnswerAll();
  };
  BytesJob job("task", Inputs(1));
  EXPECT_EQ(OneJob(workers, job, {}).Run().status, JobReport::Status::kDone);
  EXPECT_FALSE(accepted);
}

TEST_F(DispatchTest, SpoiltResultsAreComputedAnewButNotForEver) {
  class SpoiltJob final : public BytesJob {
   public:
    explicit SpoiltJob(int times) : BytesJob("task", Inputs(5)), times_(times) {}
    std::vector<std::uint64_t> Recheck() override {
      if (times_-- > 0) return {3};
      return {};
    }

   private:
    int times_;
  };
  FakeWorkers workers(1);
  workers.script = [&] { workers.AnswerAll(); };
  SpoiltJob once(1);
  EXPECT_EQ(OneJob(workers, once, {}).Run().status, JobReport::Status::kDone);
  EXPECT_EQ(once.completed[3], 2);
  EXPECT_EQ(once.completed[2], 1);
  SpoiltJob always(1000);
  EXPECT_EQ(OneJob(workers, always, {}).Run().status, JobReport::Status::kFailed);
  EXPECT_EQ(always.completed[3], 1 + 3) << "three times anew";
}

}  // namespace
}  // namespace procpool
