// The arithmetic of `master spawn`: stages lie end to end, whatever points a life lacks.
#include "master/lab/spawn_life.h"

#include <gtest/gtest.h>

#include <vector>

#include "master/lab/spawn_tables.h"

namespace procpool {
namespace {

SpawnTimes Times(std::array<Nanoseconds, kSpawnPoints> points) {
  return {.points = points};
}

class Nobody final : public SpawnContender {
 public:
  using SpawnContender::SpawnContender;
  std::unique_ptr<SpawnLife> Start() override { return nullptr; }
};

TEST(SpawnTimes, StagesSumToTheTotalWhateverIsMissing) {
  const SpawnTimes full = Times({100, 110, 130, 125, 160, 200, 201, 250, 260});
  SpawnTimes empty = full;
  for (const SpawnPoint missing : {SpawnPoint::kReady, SpawnPoint::kResult, SpawnPoint::kAsked}) {
    empty[missing] = 0;
  }
  SpawnTimes thread = full;
  thread[SpawnPoint::kEnded] = 0;
  for (const SpawnTimes& times : {full, empty, thread}) {
    Nanoseconds sum = 0;
    for (const SpawnStage& stage : kSpawnStages) sum += times.Stage(stage.end).value_or(0);
    EXPECT_EQ(sum, 160);
    EXPECT_EQ(sum, times.Total());
  }
  EXPECT_EQ(full.Stage(SpawnPoint::kMain), -5);  // the child was faster than the call
  EXPECT_FALSE(empty.Stage(SpawnPoint::kReady).has_value());
  EXPECT_EQ(empty.Stage(SpawnPoint::kEnded), 125);  // from main() on
  EXPECT_EQ(thread.Stage(SpawnPoint::kReaped), 59);
}

TEST(SpawnTimes, UsableIsReadyOrElseMain) {
  SpawnTimes times = Times({100, 110, 130, 140, 160, 200, 201, 250, 260});
  EXPECT_EQ(times.Usable(), 60);
  times[SpawnPoint::kReady] = 0;
  EXPECT_EQ(times.Usable(), 40);
}

TEST(SpawnTimes, TogetherIsFromTheFirstToTheLast) {
  const SpawnTimes one = Times({100, 110, 130, 140, 190, 0, 0, 250, 260});
  const SpawnTimes other = Times({105, 115, 125, 150, 180, 0, 0, 240, 270});
  EXPECT_EQ(Together(one, other).points,
            (std::array<Nanoseconds, kSpawnPoints>{100, 115, 130, 150, 190, 0, 0, 250, 270}));
}

TEST(SpawnTables, TheFitFindsTheSlope) {
  Nobody contender("fork", "echo");
  std::vector<SpawnSeries> all;
  for (const double gigabytes : {0.0, 1.0, 2.0}) {
    const auto ready = static_cast<Nanoseconds>(1000 + 2'000'000 + gigabytes * 17'000'000);
    all.push_back({&contender, gigabytes, {Times({1000, 0, 0, 0, ready, 0, 0, 0, ready})}});
  }
  const Table table = MemoryFitTable(all);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_NEAR(std::get<double>(table.rows[0][2].value), 0.002, 1e-9);
  EXPECT_NEAR(std::get<double>(table.rows[0][3].value), 0.017, 1e-9);
  all.resize(1);
  EXPECT_TRUE(MemoryFitTable(all).rows.empty());  // one level has no slope
}

TEST(SpawnTables, AGoalIsHeldOrNot) {
  Nobody worker(std::string(DefaultSpawnMethod().name), "worker");
  Nobody empty(std::string(DefaultSpawnMethod().name), "empty_program");
  const auto series = [](Nobody& who, double level, Nanoseconds usable) {
    return SpawnSeries{&who, level, {Times({1, 0, 0, 0, 1 + usable, 0, 0, 0, 1 + usable})}};
  };
  PoolComparison pools;
  pools.raw.push_back(series(empty, 8, 1'000'000));
  pools.pools.push_back({worker.method(), "pipe", {0.0029}});
  pools.pools.push_back({worker.method(), "shm", {0.0031}});
  pools.pools.push_back({"another", "shm", {0.001}});
  const Table table = GoalsTable(
      {series(worker, 0, 1'000'000), series(worker, 1, 5'000'000), series(worker, 2, 1'300'000)},
      pools);
  ASSERT_EQ(table.rows.size(), 3U);
  std::vector<bool> held;
  for (const auto& row : table.rows) held.push_back(std::get<bool>(row.back().value));
  EXPECT_EQ(held, (std::vector<bool>{true, false, false}));
  EXPECT_NEAR(std::get<double>(table.rows[2][1].value), 1.3, 1e-9);
}

}  // namespace
}  // namespace procpool
