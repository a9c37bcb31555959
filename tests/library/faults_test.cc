// What the library promises, while somebody kills and stops its workers at random: every call is
// answered once and rightly, nothing hangs and nothing is left behind.
//
// The seed of a failure is in its message; PROCPOOL_TEST_SEED runs it again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <numeric>
#include <random>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/nothing_left.h"
#include "tests/watchdog.h"
#include "tests/worker_attack.h"

namespace procpool::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongest{120};   // of a whole test
constexpr seconds kDeadline{60};   // of each wait in it
constexpr unsigned kKills = 3;     // at least so many, where the calls themselves take no time
constexpr unsigned kMost = 50;     // where starting a worker takes long, as under a sanitizer
constexpr unsigned kOften = 1000;  // a call that is hit so often is not hit by chance

unsigned Seed() {
  const char* given = std::getenv("PROCPOOL_TEST_SEED");
  return given == nullptr ? 1 : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
}

/// Workers that live and have done something: one that is hit while it starts says nothing about
/// calls, and a pool that never gets anything done gives up.
std::vector<pid_t> AtWork(Pool& pool) {
  std::vector<pid_t> pids;
  for (const WorkerStatistics& worker : pool.statistics().workers) {
    if (worker.end.empty() && worker.chunks > 0) pids.push_back(worker.pid);
  }
  return pids;
}

class FaultsOver : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    RecordProperty("seed", std::to_string(Seed()));
    { Pool first({.workers = 1, .transport = GetParam()}); }  // what is made once stays
    before_.emplace();
  }
  void TearDown() override { EXPECT_EQ(before_->WhatIsLeft(), ""); }

  static PoolOptions Options(std::size_t workers = 3) {
    return {.workers = workers,
            .transport = GetParam(),
            .statistics = true,
            .grace = milliseconds(200)};
  }
  static WorkerAttack::Options Attack(Pool& pool, unsigned stop_one_in = 0) {
    return {.seed = Seed(), .most = kMost, .stop_one_in = stop_one_in, .victims = [&pool] {
              return AtWork(pool);
            }};
  }
  /// 0, 1 and 2 milliseconds.
  std::vector<int> Naps(std::size_t count) {
    std::vector<int> naps(count);
    for (int& nap : naps) nap = static_cast<int>(random_() % 3);
    return naps;
  }
  /// The value; nothing if its worker was killed.
  template <typename T>
  static std::optional<T> ValueOrDeath(Future<T> future) {
    EXPECT_TRUE(future.wait_for(kDeadline)) << "a call without an answer";
    try {
      return future.get();
    } catch (const WorkerDied& death) {
      EXPECT_EQ(death.signal(), SIGKILL) << death.what();
      return std::nullopt;
    }
  }

  std::optional<NothingLeft> before_;
  std::mt19937 random_{Seed()};
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(Seed())};
  Watchdog watchdog_{kLongest, "FaultsOver, seed " + std::to_string(Seed())};
};

INSTANTIATE_TEST_SUITE_P(Transports, FaultsOver, ::testing::Values("shm", "pipe", "queue"),
                         [](const auto& param) { return std::string(param.param); });

TEST_P(FaultsOver, MapsWithRetriesGiveTheRightResultsInOrder) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  for (const std::size_t chunk : {0, 1, 7}) {
    const std::vector<int> naps = Naps(200);
    auto map = pool.with({.chunk_size = chunk, .retries = kOften}).map_async(sleep_ms, naps);
    ASSERT_TRUE(map.wait_for(kDeadline));
    EXPECT_EQ(map.get(), naps);
  }
  EXPECT_GT(attack.killed(), 0U);
}

TEST_P(FaultsOver, LongResultsArriveWhole) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  std::vector<std::vector<double>> inputs(60, std::vector<double>(20'000));
  for (auto& input : inputs) std::iota(input.begin(), input.end(), static_cast<double>(random_()));
  auto map = pool.with({.chunk_size = 2, .retries = kOften}).map_async(reversed, inputs);
  ASSERT_TRUE(map.wait_for(kDeadline));
  for (auto& input : inputs) std::ranges::reverse(input);
  EXPECT_TRUE(map.get() == inputs);
}

TEST_P(FaultsOver, WithoutRetriesEachCallHasItsResultOrItsDeath) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  const std::vector<int> naps = Naps(300);
  std::vector<Future<int>> calls;
  for (const int nap : naps) calls.push_back(pool.apply_async(sleep_ms, nap));
  unsigned deaths = 0;
  for (std::size_t call = 0; call < calls.size(); ++call) {
    const auto value = ValueOrDeath(std::move(calls[call]));
    if (value) {
      EXPECT_EQ(*value, naps[call]);
    } else {
      ++deaths;
    }
  }
  attack.End();
  EXPECT_LE(deaths, attack.killed()) << "a death is the error of one call";
}

TEST_P(FaultsOver, ResultsComeInOrderOrOnceAndDeathsStandInTheirPlaces) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  for (const bool ordered : {true, false}) {
    const std::vector<int> naps = Naps(200);
    const auto calls = pool.with({.chunk_size = 1});
    auto results = ordered ? calls.imap(sleep_ms, naps) : calls.imap_unordered(sleep_ms, naps);
    std::vector<int> values;
    std::size_t answered = 0;
    for (bool more = true; more;) {
      ASSERT_TRUE(results.wait_for(kDeadline));
      try {
        const std::optional<int> value = results.next();
        more = value.has_value();
        if (!more) break;
        if (ordered) {
          EXPECT_EQ(*value, naps.at(answered));
        }
        values.push_back(*value);
      } catch (const WorkerDied&) {
      }
      ++answered;
    }
    EXPECT_EQ(answered, naps.size());
    if (!ordered) {
      for (const int nap : {0, 1, 2}) {
        EXPECT_LE(std::ranges::count(values, nap), std::ranges::count(naps, nap));
      }
    }
  }
}

// A stopped worker takes too long, as far as its pool can tell.
TEST_P(FaultsOver, StoppedWorkersCostOnlyTime) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool, 2));
  const std::vector<int> naps = Naps(150);
  auto map = pool.with({.chunk_size = 3, .timeout = milliseconds(150), .retries = kOften})
                 .map_async(sleep_ms, naps);
  ASSERT_TRUE(map.wait_for(kDeadline));
  EXPECT_EQ(map.get(), naps);
}

TEST_P(FaultsOver, CancelledCallsEndAndTheOthersLoseNothing) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  const auto calls = pool.with({.retries = kOften});
  const std::vector<int> naps = Naps(200);
  std::vector<Future<int>> futures;
  for (const int nap : naps) futures.push_back(calls.apply_async(sleep_ms, nap));
  std::vector<bool> cancelled(futures.size());
  for (std::size_t i = 0; i < futures.size(); ++i) {
    if (random_() % 4 == 0) cancelled[i] = futures[i].cancel();
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    ASSERT_TRUE(futures[i].wait_for(kDeadline));
    if (cancelled[i]) {
      EXPECT_THROW(futures[i].get(), Cancelled);
    } else {
      EXPECT_EQ(futures[i].get(), naps[i]);
    }
  }
}

TEST_P(FaultsOver, SharedArraysHoldWhatTheCallsWrote) {
  Pool pool(Options());
  WorkerAttack attack(Attack(pool));
  for (int round = 1; round <= 15 || attack.killed() < kKills; ++round) {
    SharedArray<int> array(40'000);
    std::vector<std::tuple<SharedArray<int>, int>> parts;
    for (const auto& part : array.parts(20)) parts.emplace_back(part, round);
    auto map = pool.with({.chunk_size = 1, .retries = kOften}).starmap_async(set_to, parts);
    ASSERT_TRUE(map.wait_for(kDeadline));
    map.get();
    EXPECT_TRUE(std::ranges::all_of(array, [round](int element) { return element == round; }));
  }
}

TEST_P(FaultsOver, EachNewWorkerIsInitialized) {
  TemporaryFolder folder;
  const std::string path = folder.In("initialized");
  {
    Pool pool(Options(2), initialize, 42, path);
    WorkerAttack attack(Attack(pool));
    for (int round = 0; round < 5 || attack.killed() < kKills; ++round) {
      auto map = pool.with({.chunk_size = 1, .retries = kOften})
                     .map_async(initialized_with, std::vector<int>(300));
      ASSERT_TRUE(map.wait_for(kDeadline));
      EXPECT_EQ(map.get(), std::vector<int>(300, 42));
    }
  }
}

TEST_P(FaultsOver, ResizingLosesNothing) {
  Pool pool(Options(2));
  WorkerAttack attack(Attack(pool));
  const std::vector<int> naps = Naps(300);
  auto map = pool.with({.chunk_size = 2, .retries = kOften}).map_async(sleep_ms, naps);
  while (!map.ready()) {
    pool.resize(1 + random_() % 4);
    map.wait_for(milliseconds(5));
  }
  EXPECT_EQ(map.get(), naps);
}

TEST_P(FaultsOver, CloseLetsWhatWasCalledEnd) {
  Pool pool(Options());
  const std::vector<int> naps = Naps(200);
  auto map = pool.with({.chunk_size = 1, .retries = kOften}).map_async(sleep_ms, naps);
  WorkerAttack attack(Attack(pool));
  pool.close();
  EXPECT_THROW(pool.apply_async(square, 1), PoolClosed);
  ASSERT_TRUE(pool.join_for(kDeadline));
  EXPECT_EQ(map.get(), naps);
}

TEST_P(FaultsOver, TerminateEndsEveryWait) {
  for (int round = 0; round < 8; ++round) {
    Pool pool(Options(2));
    WorkerAttack attack(Attack(pool));
    const std::vector<int> naps = Naps(200);
    std::vector<Future<int>> calls;
    for (const int nap : naps) calls.push_back(pool.apply_async(sleep_ms, nap));
    auto waiting = std::async(std::launch::async, [&] {
      for (std::size_t call = 0; call < calls.size(); ++call) {
        try {
          if (const auto value = ValueOrDeath(std::move(calls[call]))) {
            EXPECT_EQ(*value, naps[call]);
          }
        } catch (const Cancelled&) {
        }
      }
    });
    std::this_thread::sleep_for(milliseconds(random_() % 40));  // whenever it is
    pool.terminate();
    ASSERT_EQ(waiting.wait_for(kDeadline), std::future_status::ready);
    ASSERT_TRUE(pool.join_for(kDeadline));
  }
}

}  // namespace
}  // namespace procpool::tests
