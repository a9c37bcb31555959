// What the pool does to each worker, with real processes: its initializer, its memory limit,
// and its end.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <procpool/detail/shared_bytes.h>
#include <procpool/error.h>
#include "common/shared_memory.h"
#include "tests/bytes_job.h"
#include "tests/pool_fixture.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

class PoolWorkers : public PoolTest {
 protected:
  WorkerPoolOptions With(std::size_t procs, const std::string& task, const std::string& input,
                         std::size_t context_bytes = 0) const {
    WorkerPoolOptions options = Options(GetParam(), procs);
    const auto bytes = std::as_bytes(std::span(input));
    options.initializer = {.task = task,
                           .context = std::vector<std::byte>(context_bytes),
                           .input = {bytes.begin(), bytes.end()}};
    return options;
  }
  /// What Run() throws; empty if it does not.
  static std::string ErrorOf(WorkerPool& pool) {
    BytesJob job("echo", {"a"});
    try {
      static_cast<void>(pool.Run(job, {}));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

INSTANTIATE_TEST_SUITE_P(Transports, PoolWorkers, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

// ---- the initializer

TEST_P(PoolWorkers, TheInitializerRunsOnceInEachBeforeAnythingElse) {
  WorkerPool pool(With(3, "remember", "hello"));
  for (int round = 0; round < 3; ++round) {
    BytesJob job("recall", Numbers(50));
    EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
    EXPECT_EQ(job.outputs, std::vector<std::string>(50, "1:hello"));
  }
  EXPECT_EQ(pool.Records().size(), 3U);
}

TEST_P(PoolWorkers, WithoutOneThereIsNothingToRemember) {
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("recall", {"a"});
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(job.outputs[0], "0:");
  EXPECT_EQ(pool.Records().at(0).initializing, 0);
}

TEST_P(PoolWorkers, AWorkerIsReadyWhenItsInitializerIsDone) {
  WorkerPool pool(With(2, "remember-slowly", "150"));
  ASSERT_TRUE(pool.WaitUntilReady(Deadline::After(60 * kSecond)));
  for (const SpawnRecord& record : pool.Records()) {
    EXPECT_GE(record.initializing, 150 * kMillisecond);
    EXPECT_GE(record.ready - record.main_reached, record.initializing);
  }
}

TEST_P(PoolWorkers, ItsTimeIsNotThatOfStarting) {
  WorkerPoolOptions options = With(1, "remember-slowly", "2300");
  options.ready_deadline = 2 * kSecond;
  WorkerPool pool(options);
  // It asks again and again, so that the pool looks at its deadlines.
  ASSERT_TRUE(pool.WaitUntilReady(Deadline::After(60 * kSecond)));
  BytesJob job("recall", {"a"});
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(job.outputs[0], "1:2300");
  EXPECT_EQ(pool.Records().size(), 1U);
}

TEST_P(PoolWorkers, AReplacementRunsItToo) {
  WorkerPool pool(With(2, "remember", "again"));
  auto inputs = Numbers(30);
  inputs[3] = NewPath() + ":signal 9";
  inputs[17] = NewPath() + ":exit 3";
  BytesJob dying("die-once", inputs);
  EXPECT_EQ(pool.Run(dying, {}).deaths, 2U);
  BytesJob job("recall", Numbers(50));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(job.outputs, std::vector<std::string>(50, "1:again"));
  EXPECT_EQ(pool.Records().size(), 4U);
}

TEST_P(PoolWorkers, RecycledWorkersRunItToo) {
  WorkerPool pool(With(2, "remember", "each time"));
  BytesJob job("recall", Numbers(30));
  const JobReport report = pool.Run(job, {.most_tasks_per_worker = 3});
  EXPECT_EQ(report.status, Status::kDone);
  EXPECT_EQ(report.deaths, 0U);
  EXPECT_EQ(job.outputs, std::vector<std::string>(30, "1:each time"));
}

TEST_P(PoolWorkers, OneThatThrowsFailsTheJobWithItsText) {
  WorkerPool pool(With(2, "throw", "error"));
  for (int round = 0; round < 2; ++round) {
    const std::string error = ErrorOf(pool);
    EXPECT_NE(error.find("initializer threw std::runtime_error: a task's own words"),
              std::string::npos)
        << error;
  }
}

TEST_P(PoolWorkers, OneThatDiesFailsTheJobWithHow) {
  WorkerPool pool(With(2, "die", "exit 3"));
  const std::string error = ErrorOf(pool);
  EXPECT_NE(error.find("exited with code 3"), std::string::npos) << error;
}

TEST_P(PoolWorkers, OneThatTheWorkersDoNotHaveIsNamed) {
  WorkerPool pool(With(1, "no-such-task", ""));
  const std::string error = ErrorOf(pool);
  EXPECT_NE(error.find("no-such-task"), std::string::npos) << error;
}

TEST_P(PoolWorkers, ALongInputArrives) {
  // Longer than any buffer on its way.
  const std::string input(3'000'001, 'i');
  WorkerPool pool(With(2, "remember", input));
  BytesJob job("recall", {"a", "b"});
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  for (const std::string& output : job.outputs) EXPECT_TRUE(output == "1:" + input);
}

TEST_P(PoolWorkers, ItsInputLiesWhereAnyTypeMay) {
  for (std::size_t context_bytes = 0; context_bytes < 16; context_bytes += 3) {
    WorkerPool pool(With(1, "where-input-lies", "some input", context_bytes));
    BytesJob job("recall", {"a"});
    EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
    EXPECT_EQ(job.outputs[0], "1:0") << context_bytes;
  }
}

TEST_P(PoolWorkers, ItMayLookAtSharedMemory) {
  const auto memory = detail::SharedBytes::Allocate(100).memory();
  std::strcpy(reinterpret_cast<char*>(memory->buffer.bytes().data()), "written by the master");
  WorkerPoolOptions options =
      With(2, "remember-shared", std::to_string(memory->buffer.region_id()));
  options.initializer.shared.push_back(memory->buffer);
  WorkerPool pool(options);
  BytesJob job("recall", Numbers(20));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(job.outputs, std::vector<std::string>(20, "1:written by the master"));
}

TEST_P(PoolWorkers, WhoIsTooManyBeforeItIsReadyDoesNoHarm) {
  WorkerPool pool(With(8, "remember-slowly", "20"));
  pool.Resize(1);
  BytesJob job("recall", Numbers(20));
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(job.outputs, std::vector<std::string>(20, "1:20"));
  EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
}

// ---- the memory limit

constexpr std::uint64_t kMega = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimit = 256 * kMega;

TEST_P(PoolWorkers, AWorkerAboveTheLimitIsReplacedAndNothingIsLost) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.memory_limit = kLimit;
  WorkerPool pool(options);
  std::vector<std::string> inputs(60, "0");
  inputs[5] = "320";
  BytesJob job("hoard", inputs);
  const JobReport report = pool.Run(job, {.most_deaths = 1});
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(report.items_done, 60U);
  EXPECT_EQ(report.deaths, 0U);
  EXPECT_EQ(report.retries, 0U);
  const pid_t hoarder = std::stoi(job.outputs[5]);
  const auto has_left = [&] {
    const auto records = pool.Records();
    const auto found = std::ranges::find(records, hoarder, &SpawnRecord::pid);
    return found != records.end() && found->exit == "stopped";
  };
  const Deadline deadline = Deadline::After(60 * kSecond);
  while (!has_left()) {
    ASSERT_FALSE(deadline.Passed()) << "it is still there";
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Only that one.
  BytesJob next("pid", Numbers(20));
  EXPECT_EQ(pool.Run(next, {}).status, Status::kDone);
  EXPECT_EQ(pool.Records().size(), 3U);
}

TEST_P(PoolWorkers, BelowTheLimitNobodyIsReplaced) {
  WorkerPoolOptions options = Options(GetParam(), 1);
  options.memory_limit = 1024 * kMega;
  WorkerPool pool(options);
  std::vector<std::string> inputs(20, "0");
  inputs[2] = "100";
  BytesJob job("hoard", inputs);
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(pool.Records().size(), 1U);
  EXPECT_EQ(std::set<std::string>(job.outputs.begin(), job.outputs.end()).size(), 1U);
}

TEST_P(PoolWorkers, WithoutALimitNobodyIsReplaced) {
  WorkerPool pool(Options(GetParam(), 1));
  std::vector<std::string> inputs(20, "0");
  inputs[2] = "320";
  BytesJob job("hoard", inputs);
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_EQ(pool.Records().size(), 1U);
}

// ---- the end

TEST_P(PoolWorkers, AWorkerThatClosesItsDescriptorsLosesNothing) {
  // Over a pipe it cannot answer any more; elsewhere it can, but not ring for the master.
  WorkerPool pool(Options(GetParam(), 1));
  const std::vector<std::string> inputs(3, NewPath());
  BytesJob job("close-all-once", inputs);
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(job.outputs, inputs);
}

TEST_P(PoolWorkers, AWorkerThatStillStartsWhenThePoolEndsIsNotWaitedFor) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.faults = "hang@start:worker=1";
  options.grace = options.ready_deadline = 100'000 * kSecond;  // no test takes as long
  WorkerPool pool(options);
  BytesJob job("echo", Numbers(10));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  pool.Close();
}

class ClosedPipe : public PoolTest {};

INSTANTIATE_TEST_SUITE_P(Transports, ClosedPipe, ::testing::Values("pipe"),
                         [](const auto& param) { return param.param; });

TEST_P(ClosedPipe, AWorkerThatGoesOnAfterClosingItIsKilled) {
  WorkerPool pool(Options(GetParam(), 1));
  BytesJob job("close-all-and-hang-once", std::vector<std::string>(3, NewPath()));
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 1U);
  ASSERT_FALSE(report.warnings.empty());
  EXPECT_NE(report.warnings[0].find("it closed its channel and went on"), std::string::npos)
      << report.warnings[0];
}

}  // namespace
}  // namespace procpool
