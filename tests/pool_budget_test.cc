// Times that real workers report, over every transport.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/log.h"
#include "master/worker_pool.h"
#include "tests/budget_stamps.h"
#include "tests/bytes_job.h"

namespace procpool {
namespace {

constexpr Nanoseconds kReadyDeadline = 100 * kSecond;

class PoolBudgetTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { StartLog("test", "off"); }
  WorkerPoolOptions Options(std::size_t procs) const {
    return {.procs = procs,
            .transport = GetParam(),
            .worker_program = MISBEHAVING_WORKER,
            .log_level = "off"};
  }
};

INSTANTIATE_TEST_SUITE_P(Transports, PoolBudgetTest, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

Nanoseconds PartOf(const BudgetLine& line, BudgetPart part) {
  return line[static_cast<std::size_t>(part)];
}

Nanoseconds StageOf(const Journey& journey, JourneyStage stage) {
  return journey[static_cast<std::size_t>(stage)];
}

TEST_P(PoolBudgetTest, StagesThatATaskReportsReachTheBudget) {
  WorkerPool pool(Options(1));
  BytesJob job("stages", {"1", "2", "3"});
  job.wants_times = true;
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  EXPECT_EQ(job.outputs, std::vector<std::string>(3, "timed"));
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  ASSERT_EQ(report.budget->journeys.size(), 3U);
  for (std::size_t item = 0; item < 3; ++item) {
    const Nanoseconds stage = static_cast<Nanoseconds>(item + 1) * kMillisecond;
    const Journey& journey = report.budget->journeys[item];
    EXPECT_EQ(StageOf(journey, JourneyStage::kDecode), stage);
    EXPECT_EQ(StageOf(journey, JourneyStage::kResultEncode), 2 * stage);
    EXPECT_GE(StageOf(journey, JourneyStage::kComputeRunning) +
                  StageOf(journey, JourneyStage::kComputeQueueing),
              stage);
  }
  const BudgetLine total = report.budget->Total();
  EXPECT_EQ(PartOf(total, BudgetPart::kDecode), 6 * kMillisecond);
  EXPECT_EQ(PartOf(total, BudgetPart::kResultEncode), 12 * kMillisecond);
  EXPECT_EQ(report.tallies.at(0).compute, PartOf(total, BudgetPart::kComputeRunning) +
                                              PartOf(total, BudgetPart::kComputeQueueing));
}

TEST_P(PoolBudgetTest, StagesThatCannotBeAreCut) {
  WorkerPool pool(Options(1));
  const std::string most = std::to_string(std::numeric_limits<Nanoseconds>::max() / 4);
  BytesJob job("boast", {most, "-" + most, most, "-1", "-" + most});
  job.wants_times = true;
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
  ASSERT_TRUE(report.budget);
  ExpectWhole(*report.budget);
  EXPECT_EQ(report.budget->items, 5U);
}

TEST_P(PoolBudgetTest, WithoutTimesNoneAreTaken) {
  WorkerPool pool(Options(1));
  BytesJob job("stages", {"0", "0"});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(job.outputs, std::vector<std::string>(2, "untimed"));
  EXPECT_FALSE(report.budget);
}

TEST_P(PoolBudgetTest, WarmWorkersAreNotSpawned) {
  WorkerPool pool(Options(3));
  ASSERT_TRUE(pool.WaitUntilReady(Deadline::After(kReadyDeadline)));
  for (const std::size_t items : {100U, 1U}) {
    BytesJob job("echo", std::vector<std::string>(items, "in"));
    job.wants_times = true;
    const JobReport report = pool.Run(job, {});
    ASSERT_TRUE(report.budget);
    ExpectWhole(*report.budget);
    EXPECT_EQ(PartOf(report.budget->Total(), BudgetPart::kSpawn), 0);
    EXPECT_EQ(report.budget->items, items);
  }
}

// One worker, for what is moved from one to another travels twice.
TEST_P(PoolBudgetTest, TrafficIsWhatTheFramesAre) {
  WorkerPool pool(Options(1));
  ASSERT_TRUE(pool.WaitUntilReady(Deadline::After(kReadyDeadline)));
  const std::vector<std::string> inputs(50, std::string(1000, 'x'));
  for (const bool timed : {false, true}) {
    BytesJob job("echo", inputs);
    job.wants_times = timed;
    const JobReport report = pool.Run(job, {});
    EXPECT_EQ(report.status, JobReport::Status::kDone) << report.error;
    constexpr std::uint64_t kHead = sizeof(FrameHeader);
    const std::uint64_t annex = timed ? sizeof(ResultAnnex) : 0;
    EXPECT_EQ(report.traffic.received, 50 * (kHead + annex + 1000));
    // Besides: the job, and that the one before is over.
    EXPECT_GE(report.traffic.sent, 50 * (kHead + 1000) + kHead);
    EXPECT_LE(report.traffic.sent, 50 * (kHead + 1000) + 2 * kHead + 100);
  }
}

}  // namespace
}  // namespace procpool
