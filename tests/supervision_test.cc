// Supervision with real workers: how often and how soon they are replaced, and what is saved of
// chunks that kill them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <procpool/error.h>
#include "common/kernel.h"
#include "master/back_off.h"
#include "master/given_up_rows.h"
#include "master/rows_job.h"
#include "tests/bytes_job.h"
#include "tests/pool_fixture.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

constexpr Nanoseconds kLong = 100'000 * kSecond;  // no test takes as long

class Supervision : public PoolTest {};

INSTANTIATE_TEST_SUITE_P(Transports, Supervision, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

// ---- how often

TEST_P(Supervision, WorkersThatDieTooOftenEndTheJobAndTheNextOneHasWorkers) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.max_restarts = 5;
  options.restart_window = kLong;
  WorkerPool pool(options);
  for (int round = 0; round < 2; ++round) {
    BytesJob dying("die", std::vector<std::string>(50, "signal 9"));
    const JobReport report = pool.Run(dying, {.most_deaths = 100});
    EXPECT_EQ(report.status, Status::kFailed);
    EXPECT_NE(report.error.find("more than 5 died within 100000 s; the last: worker "),
              std::string::npos)
        << report.error;
    EXPECT_NE(report.error.find("SIGKILL"), std::string::npos) << report.error;
    EXPECT_GE(report.deaths, 6U);
    EXPECT_LE(report.deaths, 7U) << "the other one may have died in the same moment";
    EXPECT_TRUE(dying.given_up.empty());
    BytesJob next("echo", Numbers(20));
    EXPECT_EQ(pool.Run(next, {}).status, Status::kDone);
    EXPECT_EQ(next.outputs, Numbers(20));
  }
}

TEST_P(Supervision, ThoseOfALimitOfTimeCount) {
  WorkerPoolOptions options = Options(GetParam(), 1);
  options.max_restarts = 0;
  WorkerPool pool(options);
  BytesJob hanging("hang-once", {NewPath()});
  const JobReport report = pool.Run(hanging, {.timeout = 100 * kMillisecond});
  EXPECT_EQ(report.status, Status::kFailed);
  EXPECT_NE(report.error.find("more than 0 died"), std::string::npos) << report.error;
}

TEST_P(Supervision, RecycledWorkersDoNotCount) {
  WorkerPoolOptions options = Options(GetParam(), 2);
  options.max_restarts = 0;
  WorkerPool pool(options);
  BytesJob job("echo", Numbers(30));
  EXPECT_EQ(pool.Run(job, {.most_tasks_per_worker = 3}).status, Status::kDone);
  EXPECT_EQ(job.outputs, Numbers(30));
}

// ---- how soon

TEST_P(Supervision, AWorkerThatCannotStartIsTriedFiveTimesMoreAndMoreSlowly) {
  WorkerPoolOptions options = Options(GetParam(), 1);
  options.initializer.task = "die";
  const std::string how = "exit 3";
  const auto bytes = std::as_bytes(std::span(how));
  options.initializer.input = {bytes.begin(), bytes.end()};
  WorkerPool pool(options);
  // The first job may find tries of before, so the second one tells.
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = pool.Records().size();
    BytesJob job("echo", {"a"});
    EXPECT_THROW(static_cast<void>(pool.Run(job, {})), Error);
    if (round == 0) continue;
    const auto records = pool.Records();
    ASSERT_EQ(records.size(), before + 5);
    for (unsigned failure = 1; failure < 5; ++failure) {
      const SpawnRecord& failed = records[before + failure - 1];
      EXPECT_GE(records[before + failure].spawned, failed.ended + BackOff(failure)) << failure;
    }
  }
}

TEST_P(Supervision, AnInitializerThatFailsOnceIsForgiven) {
  WorkerPoolOptions options = Options(GetParam(), 1);
  options.initializer.task = "die-once";
  const std::string how = NewPath() + ":exit 3";
  const auto bytes = std::as_bytes(std::span(how));
  options.initializer.input = {bytes.begin(), bytes.end()};
  WorkerPool pool(options);
  EXPECT_TRUE(pool.WaitUntilReady(Deadline::After(60 * kSecond)))
      << "with nothing to do it is tried again too";
  BytesJob job("echo", {"a"});
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
}

// ---- the slots themselves

class Nobody final : public WorkerEvents {
 public:
  void OnReady(std::size_t) override { ++ready; }
  void OnSent(std::size_t) override {}
  std::optional<std::span<std::byte>> PlaceFor(std::size_t, const FrameHeader&) override {
    return std::nullopt;
  }
  bool OnResult(std::size_t, const Frame&) override { return false; }
  bool OnFailed(std::size_t, const JobItem&, const std::string&, const std::string&) override {
    return false;
  }
  bool OnStepThrew(std::size_t, const JobItem&, std::uint64_t, const std::string&,
                   const std::string&) override {
    return false;
  }
  void OnGone(std::size_t, const Departure&) override {}
  void OnSlotLost(std::size_t, const std::string&) override {}

  int ready = 0;
};

class SlotsThatWait : public PoolTest {
 protected:
  void SetUp() override {
    PoolTest::SetUp();
    workers_ = std::make_unique<ProcessWorkers>(ProcessWorkersOptions{
        .transport = FindTransport(GetParam()), .program = MISBEHAVING_WORKER, .log_level = "off"});
    workers_->KeepEmpty();  // so that each test says when
  }
  void TearDown() override {
    workers_->StopAll(2 * kSecond);
    workers_.reset();
    PoolTest::TearDown();
  }
  std::size_t Spawned() const { return workers_->records().size(); }
  void Wait(int times = 3) {
    for (; times > 0; --times) workers_->Wait(Deadline::After(0), nobody_);
  }

  Nobody nobody_;
  std::unique_ptr<ProcessWorkers> workers_;
};

INSTANTIATE_TEST_SUITE_P(Transports, SlotsThatWait, ::testing::Values("shm"),
                         [](const auto& param) { return param.param; });

TEST_P(SlotsThatWait, AreNotFilledBeforeTheirTimeButCount) {
  EXPECT_EQ(workers_->alive(), 0U);
  workers_->Replace(0, Now() + kLong);
  EXPECT_EQ(workers_->alive(), 1U) << "there will be one";
  Wait();
  EXPECT_EQ(Spawned(), 0U);
  workers_->Replace(0);
  Wait();
  EXPECT_EQ(Spawned(), 1U) << "the last word counts";
}

TEST_P(SlotsThatWait, KeepNoOtherFromBeingFilled) {
  workers_->Resize(2);
  workers_->Replace(0, Now() + kLong);
  Wait();
  EXPECT_EQ(Spawned(), 1U);
  EXPECT_NE(workers_->pid(1), -1);
}

TEST_P(SlotsThatWait, AreFilledWhenTheirTimeHasCome) {
  workers_->Replace(0, Now() + 20 * kMillisecond);
  // Nothing else happens meanwhile that would end the wait.
  const Deadline deadline = Deadline::After(8 * kSecond);
  while (Spawned() == 0) {
    workers_->Wait(Deadline::Far(), nobody_);
    ASSERT_FALSE(deadline.Passed()) << "it slept past the time";
  }
  while (nobody_.ready == 0) workers_->Wait(Deadline::After(kSecond), nobody_);
}

TEST_P(SlotsThatWait, StoppedTimeDoesNotCount) {
  workers_->Replace(0, Now());
  workers_->Suspend();
  Wait();
  EXPECT_EQ(Spawned(), 0U);
  workers_->Resume(kSecond * 1000);
  Wait();
  EXPECT_EQ(Spawned(), 0U) << "so much later";
}

TEST_P(SlotsThatWait, StayEmptyOnceTheyAreTo) {
  workers_->Replace(0, Now() + kMillisecond);
  workers_->KeepEmpty();
  EXPECT_EQ(workers_->alive(), 0U);
  ::usleep(2000);  // past that time
  Wait();
  EXPECT_EQ(Spawned(), 0U);
}

// ---- rows that kill

Fractal TestFractal() {
  Fractal fractal;
  fractal.real = {AxisRule::kLinear, 60, -1.5, 0.05};
  fractal.imaginary = {AxisRule::kLinear, 80, -1.0, 0.025};
  fractal.constant_re = -0.62772;
  fractal.constant_im = -0.42193;
  fractal.max_iterations = 50;
  return fractal;
}

// The rows, computed by the misbehaving worker's task. words: what it does at which rows.
class DeadlyRowsJob final : public RowsJob {
 public:
  DeadlyRowsJob(const Fractal& fractal, const Plan& plan, const Buffer& grid,
                const RowsJobOptions& options, const std::string& words)
      : RowsJob(fractal, plan, grid, options) {
    const std::span<const std::byte> context = RowsJob::context();
    context_.assign(reinterpret_cast<const char*>(context.data()), context.size());
    context_ += words;
  }
  std::string_view task() const override { return "deadly-rows"; }
  std::span<const std::byte> context() const override { return std::as_bytes(std::span(context_)); }

 private:
  std::string context_;
};

// Runs it on two workers and looks whether all rows but these are right.
JobReport RunDeadly(const std::string& transport, CodecId codec, const JobOptions& options,
                    const std::string& words, const std::set<std::uint64_t>& deadly) {
  const Fractal fractal = TestFractal();
  const Plan plan = MakePlan(fractal.Height(), 10, 2, Schedule::kStatic);
  WorkerPool pool(Options(transport, 2));
  const std::size_t points = std::size_t{fractal.Width()} * fractal.Height();
  const Buffer grid = pool.Allocate(4 * points, "test grid");
  std::vector<std::int32_t> expected(points);
  RowsComputer(fractal, *FindKernel("scalar")).Compute(0, expected);
  for (const std::uint64_t row : deadly) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(row * fractal.Width()),
                fractal.Width(), kGivenUpCount);
  }
  const auto allocate = [&](std::size_t bytes) { return pool.Allocate(bytes, "payload"); };
  DeadlyRowsJob job(fractal, plan, grid, {.kernel = "scalar", .codec = codec, .allocate = allocate},
                    words);
  JobReport report = pool.Run(job, options);
  EXPECT_TRUE(std::ranges::equal(grid.as<std::int32_t>(), expected));
  std::set<std::uint64_t> missing;
  for (const GivenUpRows& rows : GivenUpRowsOf(report.given_up, job.chunks())) {
    for (std::uint64_t row = rows.first_row; row < rows.first_row + rows.rows; ++row)
      missing.insert(row);
  }
  EXPECT_EQ(missing, deadly);
  return report;
}

TEST_P(Supervision, OnlyTheRowsThatKillAreGivenUp) {
  for (const CodecId codec : {CodecId::kRaw, CodecId::kCereal}) {
    const JobReport report =
        RunDeadly(GetParam(), codec, {.most_deaths = 2}, "die 3 17 18 79", {3, 17, 18, 79});
    EXPECT_EQ(report.status, Status::kFailed);
    EXPECT_TRUE(report.all_answered);
    EXPECT_EQ(report.given_up.size(), 4U);
    for (const GivenUpItem& item : report.given_up) {
      EXPECT_NE(item.reason.find("it has killed 2 workers"), std::string::npos) << item.reason;
      EXPECT_NE(item.reason.find("SIGKILL"), std::string::npos) << item.reason;
    }
  }
}

TEST_P(Supervision, ARowThatHangsIsFoundLikewise) {
  const JobReport report =
      RunDeadly(GetParam(), CodecId::kRaw, {.timeout = 400 * kMillisecond, .most_deaths = 2},
                "hang 42", {42});
  ASSERT_EQ(report.given_up.size(), 1U);
  EXPECT_EQ(report.given_up[0].cause, GivenUpItem::Cause::kTimedOut);
}

TEST_P(Supervision, AChunkThatKilledByAccidentIsDoneInItsHalves) {
  // One death is too many for a chunk, but none of its rows kills a second time.
  const JobReport report =
      RunDeadly(GetParam(), CodecId::kRaw, {.most_deaths = 1}, "die-once 42 " + NewPath(), {});
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 1U);
}

}  // namespace
}  // namespace procpool
