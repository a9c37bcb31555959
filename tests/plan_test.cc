#include "master/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <string>

namespace procpool {
namespace {

constexpr unsigned kSeed = 20240501;
constexpr std::array kSchedules{Schedule::kDynamic, Schedule::kStatic, Schedule::kGuided};

void ExpectEveryRowOnce(const Plan& plan, std::uint64_t rows) {
  std::uint64_t next = 0;
  for (std::size_t id = 0; id < plan.chunks.size(); ++id) {
    ASSERT_EQ(plan.chunks[id].id, id);
    ASSERT_EQ(plan.chunks[id].first_row, next);
    ASSERT_GE(plan.chunks[id].rows, 1U);
    ASSERT_LE(plan.chunks[id].rows, rows - next);
    next += plan.chunks[id].rows;
  }
  ASSERT_EQ(next, rows);
}

void ExpectEqualSizes(const Plan& plan) {
  const auto [least, most] = std::ranges::minmax(plan.chunks, {}, &Chunk::rows);
  EXPECT_LE(most.rows - least.rows, 1U);
}

/// Owners never go down, and nobody owns two chunks more than another.
void ExpectContiguousShares(const Plan& plan, unsigned procs) {
  ASSERT_EQ(plan.owners.size(), plan.chunks.size());
  EXPECT_TRUE(std::ranges::is_sorted(plan.owners));
  EXPECT_LT(plan.owners.back(), procs);
  std::map<unsigned, std::size_t> shares;
  for (const unsigned owner : plan.owners) ++shares[owner];
  std::size_t least = shares.size() < procs ? 0 : plan.chunks.size();
  std::size_t most = 0;
  for (const auto& [owner, share] : shares) {
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_LE(most - least, 1U);
}

/// The formula of the header, word for word.
void ExpectGuidedSizes(const Plan& plan, std::uint64_t rows, std::uint64_t chunks, unsigned procs) {
  std::uint64_t remaining = rows;
  for (const Chunk& chunk : plan.chunks) {
    std::uint64_t size = remaining / (std::uint64_t{2} * procs);
    if (size < rows / chunks) size = rows / chunks;
    if (size > remaining) size = remaining;
    ASSERT_EQ(chunk.rows, size) << "chunk " << chunk.id;
    remaining -= size;
  }
  EXPECT_TRUE(std::ranges::is_sorted(plan.chunks, std::greater<>(), &Chunk::rows));
}

void ExpectPlan(std::uint64_t rows, std::uint64_t chunks, unsigned procs) {
  for (const Schedule schedule : kSchedules) {
    SCOPED_TRACE(std::string(ScheduleName(schedule)) + ", rows " + std::to_string(rows) +
                 ", chunks " + std::to_string(chunks) + ", procs " + std::to_string(procs));
    const Plan plan = MakePlan(rows, chunks, procs, schedule);
    EXPECT_EQ(plan.clamped, chunks > rows);
    ASSERT_NO_FATAL_FAILURE(ExpectEveryRowOnce(plan, rows));
    if (schedule == Schedule::kGuided) {
      ASSERT_NO_FATAL_FAILURE(ExpectGuidedSizes(plan, rows, std::min(chunks, rows), procs));
    } else {
      EXPECT_EQ(plan.chunks.size(), std::min(chunks, rows));
      ExpectEqualSizes(plan);
    }
    if (schedule == Schedule::kStatic) {
      ASSERT_NO_FATAL_FAILURE(ExpectContiguousShares(plan, procs));
    } else {
      EXPECT_TRUE(plan.owners.empty());
    }
  }
}

TEST(Plan, EverySmallCombinationKeepsThePromises) {
  for (std::uint64_t rows = 1; rows <= 20; ++rows) {
    for (std::uint64_t chunks = 1; chunks <= 22; ++chunks) {
      for (const unsigned procs : {1U, 2U, 3U, 7U, 25U})
        ASSERT_NO_FATAL_FAILURE(ExpectPlan(rows, chunks, procs));
    }
  }
}

TEST(Plan, RandomCombinationsKeepThePromises) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  for (int trial = 0; trial < 300; ++trial) {
    const std::uint64_t rows = 1 + random() % 100'000;
    const std::uint64_t chunks = 1 + random() % (trial % 2 == 0 ? 200 : 120'000);
    ASSERT_NO_FATAL_FAILURE(ExpectPlan(rows, chunks, 1 + static_cast<unsigned>(random() % 64)));
  }
}

TEST(Plan, HugeNumbersDoNotOverflow) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  for (const std::uint64_t rows :
       {~std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1}) {
    for (const std::uint64_t chunks : {1U, 3U, 1000U, 65537U}) {
      ASSERT_NO_FATAL_FAILURE(ExpectPlan(rows, chunks, 8));
      ASSERT_NO_FATAL_FAILURE(ExpectPlan(rows - random() % 1'000'000, chunks, 0xffffffff));
    }
  }
  ASSERT_NO_FATAL_FAILURE(ExpectPlan(5, ~std::uint64_t{0}, 0xffffffff));
}

TEST(Plan, ThatOfTheDocumentsIsTheOneExpected) {
  const Plan plan = MakePlan(10, 4, 2, Schedule::kStatic);
  EXPECT_EQ(plan.chunks, (std::vector<Chunk>{{0, 0, 2}, {1, 2, 3}, {2, 5, 2}, {3, 7, 3}}));
  EXPECT_EQ(plan.owners, (std::vector<unsigned>{0, 0, 1, 1}));

  const Plan guided = MakePlan(100, 20, 2, Schedule::kGuided);
  EXPECT_EQ(guided.chunks.front().rows, 25U);
  EXPECT_EQ(guided.chunks[1].rows, 18U);
  EXPECT_EQ(guided.chunks.back().first_row + guided.chunks.back().rows, 100U);
}

TEST(Plan, IsTheSameEveryTime) {
  for (const Schedule schedule : kSchedules) {
    EXPECT_EQ(MakePlan(1000, 64, 8, schedule).chunks, MakePlan(1000, 64, 8, schedule).chunks);
  }
}

TEST(Schedule, NamesAreReadAndWritten) {
  for (const Schedule schedule : kSchedules)
    EXPECT_EQ(ParseSchedule(ScheduleName(schedule)), schedule);
  for (const char* name : {"", "Static", "guided ", "fair"})
    EXPECT_FALSE(ParseSchedule(name)) << name;
}

}  // namespace
}  // namespace procpool
