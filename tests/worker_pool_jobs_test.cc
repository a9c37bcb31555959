// The pool with real worker processes, over every transport: many jobs at once, jobs that grow or
// are cancelled, and a pool that is resized while they run.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "tests/bytes_job.h"
#include "tests/pool_fixture.h"

namespace procpool {
namespace {

using Status = JobReport::Status;

constexpr auto kLongEnough = std::chrono::seconds(60);

class PoolJobs : public PoolTest {};

INSTANTIATE_TEST_SUITE_P(Transports, PoolJobs, ::testing::Values("pipe", "queue", "shm"),
                         [](const auto& param) { return param.param; });

// Of whose items more and more are known; the other functions are the pool's thread's.
class GrowingJob final : public BytesJob {
 public:
  GrowingJob(const std::string& task, std::vector<std::string> inputs)
      : BytesJob(task, std::move(inputs)) {}

  std::size_t items() const override { return known_; }
  bool MoreMayCome() const override { return more_may_come_; }
  bool Complete(const GivenItem& given, const ItemResult& result) override {
    const bool right = BytesJob::Complete(given, result);
    const std::lock_guard lock(mutex_);
    answers_.insert(outputs[given.item]);
    ++answered_;
    return right;
  }

  void Know(std::size_t items) { known_ = items; }
  void NoMoreWillCome() { more_may_come_ = false; }
  std::size_t answered() const {
    const std::lock_guard lock(mutex_);
    return answered_;
  }
  /// All different ones so far.
  std::set<std::string> answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

 private:
  std::atomic<std::size_t> known_{0};
  std::atomic<bool> more_may_come_{true};
  mutable std::mutex mutex_;
  std::set<std::string> answers_;
  std::size_t answered_ = 0;
};

// A job that runs, and its end.
class Running {
 public:
  Running(WorkerPool& pool, std::shared_ptr<Job> job, const JobOptions& options = {})
      : end_(std::make_shared<std::promise<JobReport>>()), report_(end_->get_future()) {
    started_ = pool.Start(std::move(job), options,
                          [end = end_](JobReport report, const std::exception_ptr& error) {
                            if (error) {
                              end->set_exception(error);
                            } else {
                              end->set_value(std::move(report));
                            }
                          });
  }
  const std::shared_ptr<StartedJob>& started() const { return started_; }
  bool Ended() const {
    return report_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// Waits for it.
  JobReport Report() {
    if (report_.wait_for(kLongEnough) != std::future_status::ready)
      throw std::logic_error("the job does not end");
    return report_.get();
  }

 private:
  std::shared_ptr<std::promise<JobReport>> end_;
  std::future<JobReport> report_;
  std::shared_ptr<StartedJob> started_;
};

// Looks again and again.
bool Comes(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + kLongEnough;
  while (!what()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

std::size_t AliveIn(WorkerPool& pool) {
  const auto records = pool.Records();
  return static_cast<std::size_t>(std::ranges::count(records, Nanoseconds{0}, &SpawnRecord::ended));
}

// ---- side by side

TEST_P(PoolJobs, SeveralThreadsRunJobsAtOnce) {
  WorkerPool pool(Options(GetParam(), 3));
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&pool, thread] {
      std::mt19937 random(thread);
      for (int round = 0; round < 15; ++round) {
        auto inputs = Numbers(random() % 60);
        for (std::string& input : inputs)
          input.append(random() % 3000, static_cast<char>('a' + thread));
        BytesJob job("echo", inputs);
        const JobReport report = pool.Run(job, {});
        EXPECT_EQ(report.status, Status::kDone) << report.error;
        EXPECT_EQ(report.items_done, inputs.size());
        EXPECT_TRUE(job.outputs == inputs) << "the answers are another job's";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.Records().size(), 3U);
}

TEST_P(PoolJobs, WhatOneSuffersIsNothingToTheOthers) {
  WorkerPool pool(Options(GetParam(), 3));
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int round = 0; round < 5; ++round) {
      auto inputs = Numbers(20);
      inputs[7] = "signal 9";
      BytesJob job("die", inputs);
      const JobReport report = pool.Run(job, {.most_deaths = 2});
      EXPECT_EQ(report.status, Status::kFailed);
      EXPECT_EQ(report.items_done, 19U);
      EXPECT_EQ(report.deaths, 2U);
    }
  });
  threads.emplace_back([&] {
    for (int round = 0; round < 5; ++round) {
      BytesJob job("throw", {"a", "error", "b"});
      EXPECT_EQ(pool.Run(job, {}).items_done, 2U);
    }
  });
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        const auto inputs = Numbers(100);
        BytesJob job("echo", inputs);
        const JobReport report = pool.Run(job, {.most_deaths = 1});
        EXPECT_EQ(report.status, Status::kDone) << report.error;
        EXPECT_EQ(report.deaths, 0U) << "blamed for another job's item";
        EXPECT_EQ(job.outputs, inputs);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(PoolJobs, AJobIsKeptUntilItHasEnded) {
  WorkerPool pool(Options(GetParam(), 2));
  std::weak_ptr<BytesJob> watched;
  std::promise<void> ended;
  {
    auto job = std::make_shared<BytesJob>("sleep", std::vector<std::string>(10, "5"));
    watched = job;
    pool.Start(std::move(job), {}, [&](const JobReport& report, const std::exception_ptr& error) {
      EXPECT_EQ(error, nullptr);
      EXPECT_EQ(report.items_done, 10U);
      EXPECT_FALSE(watched.expired());
      ended.set_value();
    });
  }
  ASSERT_EQ(ended.get_future().wait_for(kLongEnough), std::future_status::ready);
  EXPECT_TRUE(Comes([&] { return watched.expired(); })) << "nobody needs it any more";
}

TEST_P(PoolJobs, AClosedPoolStartsNothingAndEndsWhatRuns) {
  WorkerPool pool(Options(GetParam(), 2));
  auto job = std::make_shared<BytesJob>("sleep", std::vector<std::string>(1000, "10"));
  Running running(pool, job);
  ASSERT_TRUE(Comes([&] { return pool.ItemsDone() > 0; }));
  pool.Close();
  ASSERT_TRUE(running.Ended());
  EXPECT_EQ(running.Report().status, Status::kInterrupted);
  EXPECT_THROW(Running(pool, job), Error);
}

// ---- jobs that grow

TEST_P(PoolJobs, AJobMayGrowWhileItRuns) {
  WorkerPool pool(Options(GetParam(), 2));
  const auto inputs = Numbers(500);
  const auto job = std::make_shared<GrowingJob>("echo", inputs);
  Running running(pool, job, {.endless = true});
  for (std::size_t known = 1; known <= 500; known += 7) {
    job->Know(known);
    pool.Grown(running.started());
    if (known % 5 == 0) {
      ASSERT_TRUE(Comes([&] { return job->answered() == known; })) << "it was not given out";
    }
  }
  EXPECT_FALSE(running.Ended());
  job->Know(500);
  job->NoMoreWillCome();
  pool.Grown(running.started());
  const JobReport report = running.Report();
  EXPECT_EQ(report.status, Status::kDone);
  EXPECT_EQ(report.items_done, 500U);
  EXPECT_EQ(job->outputs, inputs);
}

TEST_P(PoolJobs, AJobThatWaitsForItemsKeepsNobodyFromWorking) {
  WorkerPool pool(Options(GetParam(), 1));
  const auto waiting = std::make_shared<GrowingJob>("echo", Numbers(1));
  Running running(pool, waiting);
  for (int round = 0; round < 3; ++round) {
    BytesJob job("echo", Numbers(20));
    EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  }
  EXPECT_FALSE(running.Ended());
  waiting->NoMoreWillCome();
  pool.Grown(running.started());
  EXPECT_EQ(running.Report().status, Status::kDone);
  pool.Grown(running.started());  // it has ended
  BytesJob job("echo", Numbers(1));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
}

// ---- jobs that are cancelled

TEST_P(PoolJobs, ACancelledJobEndsSoonAndThePoolGoesOn) {
  WorkerPool pool(Options(GetParam(), 2));
  const auto job = std::make_shared<BytesJob>("sleep", std::vector<std::string>(8, "3600000"));
  Running running(pool, job);
  const auto inputs = Numbers(50);
  ASSERT_TRUE(pool.WaitUntilReady(Deadline::After(60 * kSecond)));
  pool.Cancel(running.started());
  const JobReport report = running.Report();
  EXPECT_EQ(report.status, Status::kInterrupted);
  EXPECT_EQ(report.items_done, 0U);
  EXPECT_EQ(report.deaths, 0U) << "the pool killed them itself";
  EXPECT_TRUE(job->given_up.empty());
  pool.Cancel(running.started());  // it has ended
  BytesJob next("echo", inputs);
  EXPECT_EQ(pool.Run(next, {.most_deaths = 1}).status, Status::kDone);
  EXPECT_EQ(next.outputs, inputs);
}

TEST_P(PoolJobs, AJobThatIsCancelledBeforeItBeginsRunsNothing) {
  WorkerPool pool(Options(GetParam(), 1));
  // The pool's thread is busy, so that both come together.
  std::promise<void> go;
  ASSERT_TRUE(pool.Post([&] { go.get_future().wait(); }));
  const auto job = std::make_shared<BytesJob>("echo", Numbers(100));
  Running running(pool, job);
  pool.Cancel(running.started());
  go.set_value();
  EXPECT_EQ(running.Report().status, Status::kInterrupted);
  EXPECT_TRUE(job->begun.empty());
}

TEST_P(PoolJobs, CancellingOneJobCostsAnotherNothingButTime) {
  WorkerPool pool(Options(GetParam(), 2));
  for (int round = 0; round < 5; ++round) {
    const auto hanging = std::make_shared<BytesJob>("sleep", std::vector<std::string>{"3600000"});
    const auto inputs = Numbers(300);
    const auto other = std::make_shared<BytesJob>("echo", inputs);
    Running first(pool, hanging);
    Running second(pool, other, {.most_deaths = 1});
    ASSERT_TRUE(Comes([&] { return pool.ItemsDone() > 0; }));
    pool.Cancel(first.started());
    EXPECT_EQ(first.Report().status, Status::kInterrupted);
    const JobReport report = second.Report();
    EXPECT_EQ(report.status, Status::kDone) << report.error;
    EXPECT_EQ(report.deaths, 0U);
    EXPECT_EQ(other->outputs, inputs);
  }
}

TEST_P(PoolJobs, AGrowingJobThatIsCancelledIsInterrupted) {
  WorkerPool pool(Options(GetParam(), 2));
  const auto job = std::make_shared<GrowingJob>("echo", Numbers(100));
  Running running(pool, job);
  job->Know(10);
  pool.Grown(running.started());
  ASSERT_TRUE(Comes([&] { return job->answered() == 10; }));
  pool.Cancel(running.started());
  const JobReport report = running.Report();
  EXPECT_EQ(report.status, Status::kInterrupted);
  EXPECT_EQ(report.items_done, 10U);
}

// ---- steps

// Keeps what is told of steps.
class StepsJob final : public BytesJob {
 public:
  explicit StepsJob(std::vector<std::string> inputs) : BytesJob("steps", std::move(inputs)) {}
  bool StepThrew(const GivenItem& given, std::uint64_t step, const std::string& type,
                 const std::string& text, pid_t worker) override {
    EXPECT_GT(worker, 0);
    thrown[given.item] += std::to_string(step) + " " + type + ": " + text + "; ";
    return true;
  }
  void GiveUp(const GivenUpItem& item) override { ends[item.item] = item; }

  std::map<std::uint64_t, std::string> thrown;
  std::map<std::uint64_t, GivenUpItem> ends;
};

TEST_P(PoolJobs, AStepThatThrowsDoesNotEndItsItem) {
  WorkerPool pool(Options(GetParam(), 2));
  StepsJob job({"..!.!", ".....", "!"});
  const JobReport report = pool.Run(job, {});
  EXPECT_EQ(report.status, Status::kDone);
  EXPECT_EQ(report.items_done, 3U);
  EXPECT_EQ(job.outputs[0], "..!.!");
  EXPECT_EQ(job.thrown.at(0), "2 std::out_of_range: step 2; 4 std::out_of_range: step 4; ");
  EXPECT_FALSE(job.thrown.contains(1));
  EXPECT_EQ(job.thrown.at(2), "0 std::out_of_range: step 0; ");
}

TEST_P(PoolJobs, ADeathTellsTheStep) {
  WorkerPool pool(Options(GetParam(), 2));
  StepsJob job({"...", ".....k..", "k", "..."});
  const JobReport report = pool.Run(job, {.most_deaths = 1, .quiet_failures = true});
  EXPECT_EQ(report.status, Status::kDone);
  EXPECT_EQ(report.items_done, 2U);
  ASSERT_EQ(job.ends.size(), 2U);
  EXPECT_EQ(job.ends.at(1).step, 5U);
  EXPECT_EQ(job.ends.at(2).step, 0U);
  EXPECT_EQ(job.ends.at(1).cause, GivenUpItem::Cause::kDied);
  EXPECT_EQ(job.ends.at(1).exit.value, SIGKILL);
}

TEST_P(PoolJobs, EachStepHasTheWholeTime) {
  // Together they take longer than one may.
  WorkerPool pool(Options(GetParam(), 1));
  StepsJob job({"ssssss", ".sh.."});
  const JobReport report =
      pool.Run(job, {.timeout = 2 * kSecond, .most_deaths = 1, .quiet_failures = true});
  EXPECT_EQ(report.items_done, 1U);
  EXPECT_EQ(job.outputs[0], "ssssss");
  ASSERT_EQ(job.ends.size(), 1U);
  EXPECT_EQ(job.ends.at(1).cause, GivenUpItem::Cause::kTimedOut);
  EXPECT_EQ(job.ends.at(1).step, 2U);
}

// ---- another number of workers

TEST_P(PoolJobs, MoreWorkersTakePartInWhatRuns) {
  WorkerPool pool(Options(GetParam(), 1));
  const auto job = std::make_shared<GrowingJob>("nap", std::vector<std::string>(100'000, "1"));
  Running running(pool, job);
  pool.Resize(4);
  // Items come as long as they are needed.
  ASSERT_TRUE(Comes([&] {
    job->Know(job->answered() + 16);
    pool.Grown(running.started());
    return job->answers().size() == 4;
  })) << "not every worker has answered";
  job->NoMoreWillCome();
  pool.Grown(running.started());
  const JobReport report = running.Report();
  EXPECT_EQ(report.status, Status::kDone);
  EXPECT_EQ(pool.Records().size(), 4U);
  EXPECT_EQ(AliveIn(pool), 4U);
}

TEST_P(PoolJobs, FewerWorkersDoTheRest) {
  WorkerPool pool(Options(GetParam(), 4));
  const auto job = std::make_shared<GrowingJob>("nap", std::vector<std::string>(100'000, "1"));
  Running running(pool, job, {.most_deaths = 1});
  ASSERT_TRUE(Comes([&] {
    job->Know(job->answered() + 16);
    pool.Grown(running.started());
    return job->answers().size() == 4;
  }));
  pool.Resize(1);
  ASSERT_TRUE(Comes([&] {
    job->Know(job->answered() + 16);
    pool.Grown(running.started());
    return AliveIn(pool) == 1;
  })) << "those that are too many do not leave";
  job->NoMoreWillCome();
  pool.Grown(running.started());
  const JobReport report = running.Report();
  EXPECT_EQ(report.status, Status::kDone) << report.error;
  EXPECT_EQ(report.deaths, 0U);
  EXPECT_EQ(report.retries, 0U) << "what they had was done again";
  for (const SpawnRecord& record : pool.Records()) {
    if (record.ended != 0) {
      EXPECT_EQ(record.exit, "stopped");
    }
  }
  EXPECT_EQ(pool.Records().size(), 4U);
}

TEST_P(PoolJobs, ResizedAgainAndAgainItLosesNothing) {
  WorkerPool pool(Options(GetParam(), 2));
  std::atomic<bool> done{false};
  std::thread resizer([&] {
    std::mt19937 random(11);
    while (!done) {
      pool.Resize(1 + random() % 5);
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 5));
    }
  });
  for (int round = 0; round < 10; ++round) {
    const auto inputs = Numbers(200);
    BytesJob job(round % 2 == 0 ? "echo" : "die-once", inputs);
    const JobReport report = pool.Run(job, {.most_deaths = 1});
    EXPECT_EQ(report.status, Status::kDone) << report.error;
    EXPECT_EQ(report.deaths, 0U);
    EXPECT_EQ(job.outputs, inputs);
  }
  done = true;
  resizer.join();
  pool.Resize(3);
  BytesJob job("echo", Numbers(10));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
  EXPECT_TRUE(Comes([&] { return AliveIn(pool) == 3; }));
}

TEST_P(PoolJobs, WithoutAJobItIsResizedAsWell) {
  WorkerPool pool(Options(GetParam(), 3));
  ASSERT_TRUE(Comes([&] { return AliveIn(pool) == 3; }));
  pool.Resize(1);
  EXPECT_TRUE(Comes([&] { return AliveIn(pool) == 1; }));
  pool.Resize(2);
  EXPECT_TRUE(Comes([&] { return AliveIn(pool) == 2; }));
  BytesJob job("echo", Numbers(10));
  EXPECT_EQ(pool.Run(job, {}).status, Status::kDone);
}

}  // namespace
}  // namespace procpool
