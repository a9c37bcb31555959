// What a pool tells of its workers' time.
#include "master/work_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace procpool {
namespace {

ResultAnnex Worked(Nanoseconds work) {
  ResultAnnex times;
  times.begun = 1'000'000;
  times.finished = times.begun + work;
  return times;
}

// In the order of the header.
std::vector<std::int64_t> PartsOf(const WorkerStatistics& worker) {
  return {worker.start.count(), worker.init.count(), worker.work.count(), worker.wait.count(),
          worker.exit.count()};
}

void ExpectWhole(const WorkerStatistics& worker) {
  std::int64_t sum = 0;
  for (const std::int64_t part : PartsOf(worker)) {
    EXPECT_GE(part, 0);
    sum += part;
  }
  EXPECT_EQ(sum, worker.lived.count());
}

using Parts = std::vector<std::int64_t>;

TEST(WorkLog, AWorkersTimeIsDividedInFive) {
  WorkLog log;
  log.Add("task", {0, 10}, Worked(200), 0);
  log.Add("task", {10, 5}, Worked(100), 0);
  const std::vector<SpawnRecord> records{{.slot = 3,
                                          .pid = 17,
                                          .spawned = 1'000,
                                          .ready = 1'500,
                                          .initializing = 150,
                                          .stop_sent = 2'300,
                                          .ended = 2'700,
                                          .exit = "stopped"}};
  const PoolStatistics statistics = log.Statistics(records, 9'999);
  ASSERT_EQ(statistics.workers.size(), 1U);
  const WorkerStatistics& worker = statistics.workers[0];
  EXPECT_EQ(worker.lived.count(), 1'700);
  EXPECT_EQ(PartsOf(worker), (Parts{350, 150, 300, 500, 400}));
  EXPECT_EQ(worker.slot, 3U);
  EXPECT_EQ(worker.pid, 17);
  EXPECT_EQ(worker.chunks, 2U);
  EXPECT_EQ(worker.calls, 15U);
  EXPECT_EQ(worker.end, "stopped");
  EXPECT_DOUBLE_EQ(worker.share(worker.exit), 400.0 / 1'700);
}

TEST(WorkLog, WhoLivesHasLivedUntilNow) {
  const WorkLog log;
  const std::vector<SpawnRecord> records{
      {.spawned = 100, .ready = 300},
      {.spawned = 200},  // not ready yet
      {.spawned = 100, .ready = 300, .stop_sent = 700},
      {.spawned = 400, .ended = 450, .exit = "exited with code 1"},  // never was
      {.spawned = 100, .ready = 600, .stop_sent = 500}};             // told before it was ready
  const PoolStatistics statistics = log.Statistics(records, 1'000);
  ASSERT_EQ(statistics.workers.size(), records.size());
  EXPECT_EQ(PartsOf(statistics.workers[0]), (Parts{200, 0, 0, 700, 0}));
  EXPECT_EQ(PartsOf(statistics.workers[1]), (Parts{800, 0, 0, 0, 0}));
  EXPECT_EQ(PartsOf(statistics.workers[2]), (Parts{200, 0, 0, 400, 300}));
  EXPECT_EQ(PartsOf(statistics.workers[3]), (Parts{50, 0, 0, 0, 0}));
  EXPECT_EQ(PartsOf(statistics.workers[4]), (Parts{500, 0, 0, 0, 400}));
  for (const WorkerStatistics& worker : statistics.workers) ExpectWhole(worker);
  EXPECT_TRUE(statistics.workers[0].end.empty());
  EXPECT_EQ(statistics.workers[0].calls, 0U);
}

TEST(WorkLog, WhatIsAnsweredOnTheWayOutIsWork) {
  // Told to stop with much still to do: most of what is left is not leaving, but working.
  WorkLog log;
  log.Add("task", {0, 1}, Worked(800), 0);
  const std::vector<SpawnRecord> records{
      {.spawned = 0, .ready = 100, .stop_sent = 200, .ended = 1'000}};
  const PoolStatistics statistics = log.Statistics(records, 1'000);
  EXPECT_EQ(PartsOf(statistics.workers.at(0)), (Parts{100, 0, 800, 0, 100}));
}

TEST(WorkLog, NoWorkersWordMakesItsTimeLonger) {
  WorkLog log;
  log.Add("task", {0, 1}, Worked(1'000'000), 0);
  log.Add("task", {0, 1}, Worked(-5'000), 1);
  const std::vector<SpawnRecord> records{
      {.spawned = 0, .ready = 100, .initializing = 5'000, .stop_sent = 500, .ended = 1'000},
      {.spawned = 0, .ready = 100, .initializing = -5'000, .ended = 1'000}};
  const PoolStatistics statistics = log.Statistics(records, 1'000);
  for (const WorkerStatistics& worker : statistics.workers) {
    EXPECT_EQ(worker.lived.count(), 1'000);
    ExpectWhole(worker);
  }
}

TEST(WorkLog, WhateverHappensThePartsAddUp) {
  std::mt19937 random(5);
  const auto pick = [&](Nanoseconds below) { return static_cast<Nanoseconds>(random()) % below; };
  for (int round = 0; round < 2'000; ++round) {
    WorkLog log;
    SpawnRecord record{.spawned = 1 + pick(1'000)};
    const Nanoseconds now = record.spawned + 1 + pick(10'000);
    if (pick(4) != 0) record.ready = std::min(now, record.spawned + pick(5'000));
    if (record.ready != 0 && pick(2) == 0)
      record.initializing = pick(record.ready - record.spawned + 1);
    if (pick(2) == 0) record.stop_sent = std::min(now, record.spawned + pick(10'000));
    if (pick(2) == 0) {
      record.ended = std::max(record.ready, record.stop_sent);
      record.ended = std::max(record.ended, record.spawned) + pick(100);
    }
    if (record.ready != 0) log.Add("task", {0, 1}, Worked(pick(10'000)), 0);
    const PoolStatistics statistics =
        log.Statistics({record}, std::max({now, record.ready, record.ended}));
    ExpectWhole(statistics.workers.at(0));
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST(WorkLog, TheSlowestTenInOrder) {
  WorkLog log;
  std::vector<Nanoseconds> work;
  for (Nanoseconds i = 1; i <= 30; ++i) work.push_back(i * 1'000);
  std::shuffle(work.begin(), work.end(), std::mt19937(3));
  for (std::size_t i = 0; i < work.size(); ++i) {
    const auto first = static_cast<std::uint64_t>(work[i]);
    log.Add("task " + std::to_string(work[i]), {first, 2}, Worked(work[i]), i % 2);
  }
  const std::vector<SpawnRecord> records{{.pid = 100, .spawned = 1, .ready = 2},
                                         {.pid = 101, .spawned = 1, .ready = 2}};
  const PoolStatistics statistics = log.Statistics(records, 1'000'000);
  ASSERT_EQ(statistics.slowest.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    const SlowTask& slow = statistics.slowest[i];
    const Nanoseconds expected = static_cast<Nanoseconds>(30 - i) * 1'000;
    EXPECT_EQ(slow.work.count(), expected);
    EXPECT_EQ(slow.task, "task " + std::to_string(expected));
    EXPECT_EQ(slow.first_call, static_cast<std::uint64_t>(expected));
    EXPECT_EQ(slow.calls, 2U);
    const auto at = std::ranges::find(work, expected) - work.begin();
    EXPECT_EQ(slow.worker, 100 + at % 2);
  }
}

TEST(WorkLog, OfEquallySlowOnesTheFirstStays) {
  WorkLog log;
  for (std::uint64_t i = 0; i < 20; ++i) log.Add("task", {i, 1}, Worked(500), 0);
  const PoolStatistics statistics = log.Statistics({{.pid = 1, .spawned = 1}}, 2);
  ASSERT_EQ(statistics.slowest.size(), 10U);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(statistics.slowest[i].first_call, i);
}

TEST(WorkLog, TheTableHasALineForEach) {
  WorkLog log;
  for (std::uint64_t i = 0; i < 3; ++i) log.Add(std::string(200, 'n'), {i, 1}, Worked(500), 0);
  const std::vector<SpawnRecord> records(4, {.pid = 1, .spawned = 1, .ready = 2});
  const std::string table = log.Statistics(records, 1'000).text();
  EXPECT_EQ(std::ranges::count(table, '\n'), 1 + 4 + 1 + 3);
  std::size_t longest = 0;
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = table.find('\n', at);
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  EXPECT_LE(longest, 120U) << "however long a task's name is";
  EXPECT_EQ(std::ranges::count(PoolStatistics{}.text(), '\n'), 1);
}

}  // namespace
}  // namespace procpool
