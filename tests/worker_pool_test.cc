// The pool with real worker processes, over every transport: what comes back, and what remains when
// workers misbehave.
#include "master/worker_pool.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include <procpool/error.h>
#include "common/checksum.h"
#include "common/log.h"
#include "tests/bytes_job.h"
#include "tests/pool_fixture.h"

namespace procpool {
namespace {

namespace fs = std::filesystem;

// While this process has names in /dev/shm it holds a lock file there; other programs' names are
// not its business.
bool HoldsQueueNames() {
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone).string();
    if (!gone && target.starts_with("/dev/shm/procpool.")) return true;
  }
  return false;
}

bool AllReady(WorkerPool& pool) {
  return std::ranges::all_of(pool.Records(),
                             [](const SpawnRecord& record) { return record.ready != 0; });
}

INSTANTIATE_TEST_SUITE_P(Transports, PoolTest, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

TEST_P(PoolTest, EchoesEveryItemExactlyOnce) {
  WorkerPool pool(Options(GetParam(), 3));
  const auto inputs = Numbers(1000);
  BytesJob job("echo", inputs);
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.items_done, inputs.size());
  EXPECT_EQ(job.outputs, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_EQ(job.completed[i], 1);
}

TEST_P(PoolTest, EchoesSizesAroundEveryLimit) {
  WorkerPool pool(Options(GetParam(), 2));
  std::vector<std::string> inputs;
  std::mt19937 random(7);
  for (const std::size_t size : {0U, 1U, 63U, 4095U, 4096U, 4097U, 65'535U, 65'536U, 65'537U,
                                 262'144U, 262'145U, 1'048'576U, 5'000'001U}) {
    std::string input(size, '\0');
    std::ranges::generate(input, [&] { return static_cast<char>(random()); });
    inputs.push_back(std::move(input));
  }
  BytesJob job("echo", inputs);
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EXPECT_TRUE(job.outputs[i] == inputs[i]) << inputs[i].size();
}

TEST_P(PoolTest, RunsManyJobsOnTheSameWorkers) {
  WorkerPool pool(Options(GetParam(), 2));
  for (int round = 0; round < 20; ++round) {
    BytesJob job(round % 2 == 0 ? "echo" : "pid", Numbers(50));
    EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  }
  EXPECT_EQ(pool.Records().size(), 2U) << "a worker was spawned that nobody needed";
}

TEST_P(PoolTest, StaticShareGoesToItsOwner) {
  WorkerPool pool(Options(GetParam(), 2));
  std::vector<unsigned> owners(40, 0);
  std::fill(owners.begin() + 20, owners.end(), 1);
  BytesJob job("pid", Numbers(40), owners);
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(job.outputs[i], job.outputs[i < 20 ? 0 : 20]);
  EXPECT_NE(job.outputs[0], job.outputs[20]);
}

TEST_P(PoolTest, ALongContextArrivesBeforeTheItems) {
  // Longer than any buffer on its way.
  class JobWithContext final : public BytesJob {
   public:
    JobWithContext() : BytesJob("echo", Numbers(20)), context_(3'000'001, 'c') {}
    std::span<const std::byte> context() const override {
      return std::as_bytes(std::span(context_));
    }

   private:
    std::string context_;
  };
  WorkerPool pool(Options(GetParam(), 2));
  for (int round = 0; round < 3; ++round) {
    JobWithContext job;
    EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
    EXPECT_EQ(job.outputs, Numbers(20));
  }
}

TEST_P(PoolTest, SpinningHeedsDeadlines) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.wait = WaitMode::kSpin;
  WorkerPool pool(options);
  std::vector<std::string> inputs(4);
  inputs[1] = NewPath();
  BytesJob job("hang-once", inputs);
  const JobReport report = pool.Run(job, {.timeout = 300 * kMillisecond});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 1U);
}

TEST_P(PoolTest, SpinningMovesInputsLongerThanAnyBuffer) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.wait = WaitMode::kSpin;
  WorkerPool pool(options);
  const std::vector<std::string> inputs(4, std::string(3'000'000, 's'));
  BytesJob job("echo", inputs);
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  EXPECT_TRUE(job.outputs == inputs);
}

TEST_P(PoolTest, AnAbortedJobLeavesNothingToTheNextOne) {
  WorkerPool pool(Options(GetParam(), 2));
  {
    BytesJob job("sleep", {"0", "3600000", "3600000"});
    std::thread aborter([&] {
      while (pool.ItemsDone() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      pool.Abort();
    });
    EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kInterrupted);
    aborter.join();
  }
  const auto inputs = Numbers(50);
  BytesJob next("echo", inputs);
  const JobReport report = pool.Run(next, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(next.outputs, inputs);
}

TEST_P(PoolTest, AClosedPoolRunsNothing) {
  WorkerPool pool(Options(GetParam(), 1));
  pool.Close();
  BytesJob job("echo", Numbers(1));
  EXPECT_THROW(static_cast<void>(pool.Run(job, {})), Error);
}

TEST_P(PoolTest, ExceptionIsAnAnswerNotADeath) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("throw", {"a", "error", "b", "int", "c"});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_EQ(report.deaths, 0U);
  ASSERT_EQ(job.given_up.size(), 2U);
  EXPECT_NE(job.given_up[1].find("std::runtime_error: a task's own words"), std::string::npos)
      << job.given_up[1];
  EXPECT_NE(job.given_up[3].find("int"), std::string::npos) << job.given_up[3];
  EXPECT_EQ(job.outputs[4], "c");
}

TEST_P(PoolTest, UnknownTaskIsReported) {
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("no-such-task", {"a"});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_NE(report.error.find("no-such-task"), std::string::npos) << report.error;
  BytesJob next("echo", {"a"});
  EXPECT_EQ(pool.Run(next, {}).status, JobReport::Status::kDone)
      << "the pool is of no use any more";
}

TEST_P(PoolTest, ACrashCostsOnlyARetry) {
  for (const std::string how :
       {"signal 9", "signal 11", "signal 6", "signal 8", "signal 7", "exit 0", "exit 3"}) {
    WorkerPool pool(Options(GetParam(), 2));
    auto inputs = Numbers(40);
    inputs[11] = NewPath() + ":" + how;
    BytesJob job("die-once", inputs);
    const JobReport report = pool.Run(job, {});
    EXPECT_EQ(report.status, JobReport::Status::kDone) << how << ": " << report.error;
    EXPECT_EQ(job.outputs, inputs) << how;
    EXPECT_EQ(report.deaths, 1U) << how;
    EXPECT_GE(report.retries, 1U) << how;
    ASSERT_FALSE(report.warnings.empty());
    const std::string told = how.starts_with("exit") ? "exited with code " + how.substr(5) : how;
    EXPECT_NE(report.warnings[0].find(told), std::string::npos) << report.warnings[0];
    EXPECT_NE(report.warnings[0].find("item 11"), std::string::npos) << report.warnings[0];
  }
}

TEST_P(PoolTest, ADeathInTheMiddleOfAResultDiscardsItsPieces) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("die-in-result", {NewPath(), NewPath(), NewPath()});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 3U);
  for (const std::string& output : job.outputs) EXPECT_TRUE(output == std::string(1'200'000, 'x'));
}

TEST_P(PoolTest, AnItemThatKillsEveryWorkerIsGivenUp) {
  WorkerPool pool(Options(GetParam(), 2));
  auto inputs = Numbers(20);
  inputs[5] = "signal 11";
  BytesJob job("die", inputs);
  const JobReport report = pool.Run(job, {.most_deaths = 3});
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_EQ(report.deaths, 3U);
  ASSERT_EQ(report.given_up.size(), 1U);
  EXPECT_EQ(report.given_up[0].item, 5U);
  EXPECT_NE(report.given_up[0].reason.find("SIGSEGV"), std::string::npos)
      << report.given_up[0].reason;
  EXPECT_EQ(report.items_done, 19U) << "the others must be done all the same";
}

TEST_P(PoolTest, AnItemOverItsTimeIsRetriedElsewhere) {
  WorkerPool pool(Options(GetParam(), 2));
  std::vector<std::string> inputs(
      10);  // no file can be created under an empty name: these do not hang
  inputs[3] = NewPath();
  BytesJob hanging("hang-once", inputs);
  const JobReport report = pool.Run(hanging, {.timeout = 300 * kMillisecond});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 1U);
  EXPECT_NE(report.warnings.at(0).find("took longer than 0.3 s"), std::string::npos)
      << report.warnings.at(0);
}

TEST_P(PoolTest, ASlowItemIsNotKilledWithoutATimeout) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("sleep", {"700", "1", "1", "1"});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.deaths, 0U);
}

TEST_P(PoolTest, TheTimeOfAnItemBeginsWhenItIsTheOldest) {
  // Together they take longer than one may; each alone does not, and waiting behind others does not
  // count.
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("sleep", {"500", "500", "500", "500", "500"});
  const JobReport report = pool.Run(job, {.timeout = 2 * kSecond});
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.deaths, 0U);
}

TEST_P(PoolTest, RecycledWorkersLoseNothing) {
  WorkerPool pool(Options(GetParam(), 2));
  const auto inputs = Numbers(30);
  BytesJob job("echo", inputs);
  const JobReport report = pool.Run(job, {.most_tasks_per_worker = 4});
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(job.outputs, inputs);
  EXPECT_EQ(report.deaths, 0U);
  EXPECT_GE(pool.Records().size(), 8U);
  for (const WorkerTally& tally : report.tallies) EXPECT_LE(tally.items, 4U);
}

TEST_P(PoolTest, AnItemThatKillsRecycledWorkersIsGivenUpAllTheSame) {
  // With one item each, every worker has been told to stop by the time it dies.
  WorkerPool pool(Options(GetParam(), 2));
  auto inputs = Numbers(6);
  inputs[2] = "signal 11";
  BytesJob job("die", inputs);
  const JobReport report = pool.Run(job, {.most_deaths = 3, .most_tasks_per_worker = 1});
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  EXPECT_EQ(report.deaths, 3U);
  EXPECT_EQ(report.items_done, 5U);
  ASSERT_EQ(report.given_up.size(), 1U);
  EXPECT_EQ(report.given_up[0].item, 2U);
}

TEST_P(PoolTest, AnInterruptBeforeTheJobBeginsCounts) {
  WorkerPool pool(Options(GetParam(), 2));
  pool.Interrupt();
  BytesJob job("echo", Numbers(10));
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kInterrupted);
  EXPECT_EQ(report.items_done, 0U);
  BytesJob next("echo", Numbers(10));
  EXPECT_EQ(pool.Run(next, {}).status, JobReport::Status::kDone);
}

TEST_P(PoolTest, SuspendedTimeCountsInNoDeadline) {
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("sleep", {"400"});
  std::thread suspender([&] {
    while (!pool.WaitUntilReady(Deadline::After(kSecond))) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const Nanoseconds begun = Now();
    pool.Suspend();
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    pool.Resume(Now() - begun);
  });
  const JobReport report = pool.Run(job, {.timeout = 2 * kSecond});
  suspender.join();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(report.deaths, 0U);
}

TEST_P(PoolTest, AWorkerKilledBetweenJobsIsReplaced) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob before("pid", Numbers(10));
  EXPECT_EQ(pool.Run(before, {}).status, JobReport::Status::kDone);
  for (const SpawnRecord& record : pool.Records()) ::kill(record.pid, SIGKILL);
  const auto inputs = Numbers(100);
  BytesJob after("echo", inputs);
  const JobReport report = pool.Run(after, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(after.outputs, inputs);
}

// What is written to a worker that has just died raises SIGPIPE in the thread that writes: the
// pool's own, where it is blocked.
TEST_P(PoolTest, SigpipeIsNotTheBusinessOfWhoHasThePool) {
  void (*const before)(int) = ::signal(SIGPIPE, SIG_DFL);
  WorkerPool pool(Options(GetParam(), 2));
  for (int round = 0; round < 10; ++round) {
    const auto inputs = Numbers(100);
    BytesJob job("echo", inputs);
    const JobReport report = pool.Run(job, {});
    EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
    EXPECT_EQ(job.outputs, inputs);
    for (const SpawnRecord& record : pool.Records()) {
      if (record.exit.empty()) ::kill(record.pid, SIGKILL);
    }
  }
  EXPECT_EQ(::signal(SIGPIPE, before), SIG_DFL) << "left as it was";
}

TEST_P(PoolTest, WhatATaskPrintsDoesNotDisturbTheProtocol) {
  const auto inputs = Numbers(10);
  BytesJob job("print", inputs);
  ::testing::internal::CaptureStderr();  // before the workers inherit it
  JobReport report;
  {
    WorkerPool pool(Options(GetParam(), 2));
    report = pool.Run(job, {});
  }
  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(report.status, JobReport::Status::kDone);
  EXPECT_EQ(job.outputs, inputs);
  EXPECT_NE(printed.find("a task prints to standard output"), std::string::npos)
      << "sent to standard error";
}

TEST_P(PoolTest, AGrandchildThatHoldsTheChannelHidesNoDeath) {
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("leave-grandchild-and-die", {NewPath()});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 1U);
}

TEST_P(PoolTest, InterruptDrainsAndReportsWhatWasDone) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("sleep", std::vector<std::string>(100, "20"));
  std::thread interrupter([&] {
    while (pool.ItemsDone() < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pool.Interrupt();
  });
  const JobReport report = pool.Run(job, {});
  interrupter.join();
  EXPECT_EQ(report.status, JobReport::Status::kInterrupted);
  EXPECT_GE(report.items_done, 4U);
  EXPECT_LT(report.items_done, 100U);
  std::size_t answered = 0;
  for (const auto& [item, times] : job.completed) answered += times == 1 ? 1 : 0;
  EXPECT_EQ(answered, report.items_done) << "what was given out must be taken in";
}

TEST_P(PoolTest, AbortEndsAtOnce) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("sleep", {"3600000", "3600000"});
  std::thread aborter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    pool.Abort();
  });
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kInterrupted);
  aborter.join();
}

TEST_P(PoolTest, AForeignProgramIsRefused) {
  for (const std::string program : {"/bin/true", "/bin/false"}) {
    WorkerPoolOptions options = Options(GetParam(), 2);
    options.worker_program = program;
    WorkerPool pool(options);
    BytesJob job("echo", {"a"});
    try {
      static_cast<void>(pool.Run(job, {}));
      FAIL() << program << " passed for a worker";
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::kUser);
      EXPECT_NE(std::string(error.what()).find(program), std::string::npos) << error.what();
    }
  }
}

TEST_P(PoolTest, AProgramThatIsNeverReadyIsKilled) {
  WorkerPoolOptions options = Options(GetParam(), 1);
  // cat given an unknown option would leave at once; a script that sleeps is what stays silent.
  const fs::path script = folder_.path() / "silent";
  { std::ofstream(script) << "#!/bin/sh\nexec sleep 3600\n"; }
  fs::permissions(script, fs::perms::owner_all);
  options.worker_program = script;
  options.ready_deadline = 200 * kMillisecond;
  WorkerPool pool(options);
  BytesJob job("echo", {"a"});
  try {
    static_cast<void>(pool.Run(job, {}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("not ready"), std::string::npos) << error.what();
  }
}

TEST_P(PoolTest, KeepsNoNamesOnceItsWorkersAreReady) {
  WorkerPool pool(Options(GetParam(), 2));
  BytesJob job("echo", Numbers(10));
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  while (!AllReady(pool)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(HoldsQueueNames());
}

TEST_P(PoolTest, SeveralPoolsLiveSideBySide) {
  WorkerPool first(Options(GetParam(), 2));
  WorkerPool second(Options(GetParam(), 2));
  BytesJob job_first("echo", Numbers(200));
  BytesJob job_second("echo", Numbers(300));
  std::thread other(
      [&] { EXPECT_EQ(second.Run(job_second, {}).status, JobReport::Status::kDone); });
  EXPECT_EQ(first.Run(job_first, {}).status, JobReport::Status::kDone);
  other.join();
  EXPECT_EQ(job_first.outputs, Numbers(200));
  EXPECT_EQ(job_second.outputs, Numbers(300));
}

TEST_P(PoolTest, ManyWorkersStartAndStop) {
  WorkerPool pool(Options(GetParam(), 40));
  const auto inputs = Numbers(500);
  BytesJob job("echo", inputs);
  EXPECT_EQ(pool.Run(job, {}).status, JobReport::Status::kDone);
  EXPECT_EQ(job.outputs, inputs);
}

}  // namespace
}  // namespace procpool
