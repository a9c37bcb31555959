// Who is said to have computed which rows: by the job for a pool, whose workers are the test, and
// by threads.
#include "master/rows_placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "common/checksum.h"
#include "common/log.h"
#include "master/rows_job.h"
#include "master/thread_team.h"

namespace procpool {
namespace {

constexpr std::uint64_t kWidth = 4;
constexpr std::uint64_t kHeight = 12;

class RowsPlacementTest : public ::testing::Test {
 protected:
  RowsPlacementTest() {
    StartLog("test", "off");
    fractal_.real = {AxisRule::kLinear, kWidth, -1.5, 0.25};
    fractal_.imaginary = {AxisRule::kLinear, kHeight, -1.0, 0.25};
    fractal_.max_iterations = 50;
  }
  RowsJob MakeJob(bool timed = true) {
    return {
        fractal_, plan_, grid_, {.kernel = "scalar", .timed = timed, .allocate = Buffer::Private}};
  }
  /// The worker answers with rows of zeros, which it wrote into their place.
  void Complete(RowsJob& job, std::uint64_t item, std::size_t worker, Nanoseconds begun,
                Nanoseconds finished) {
    const GivenItem given{item, 0};
    const std::size_t bytes = job.Begin(given).place.size();
    const auto place = job.PlaceFor(given, 0, bytes);
    ASSERT_TRUE(place);
    std::ranges::fill(*place, std::byte{0});
    ItemResult result{.bytes = bytes, .in_place = true, .hash = Hash(*place), .worker = worker};
    if (job.timed()) result.times = ResultAnnex{.begun = begun, .finished = finished};
    ASSERT_TRUE(job.Complete(given, result));
  }

  Fractal fractal_;
  Plan plan_ = MakePlan(kHeight, 3, 2, Schedule::kDynamic);  // four rows each
  Buffer grid_ = Buffer::Private(kHeight * kWidth * sizeof(std::int32_t));
};

TEST_F(RowsPlacementTest, IsInOrderOfRowsAndCountsFromTheBeginning) {
  RowsJob job = MakeJob();
  Complete(job, 2, 1, 1100, 1200);
  Complete(job, 0, 0, 1000, 1300);
  EXPECT_EQ(job.Placements(1000, 2000),
            (std::vector<RowsPlacement>{{0, 4, 0, 1, 0, 300}, {8, 4, 1, 0, 100, 200}}));
  Complete(job, 1, 7, 1400, 1500);
  EXPECT_EQ(job.Placements(1000, 2000)[1], (RowsPlacement{4, 4, 7, 2, 400, 500}));
}

TEST_F(RowsPlacementTest, WithoutTimesThereIsTheOrder) {
  RowsJob job = MakeJob(false);
  Complete(job, 1, 1, 0, 0);
  Complete(job, 0, 0, 0, 0);
  EXPECT_EQ(job.Placements(1000, 2000),
            (std::vector<RowsPlacement>{{0, 4, 0, 1, 0, 0}, {4, 4, 1, 0, 0, 0}}));
}

TEST_F(RowsPlacementTest, ALieOfAWorkerStaysWithinTheRun) {
  RowsJob job = MakeJob();
  Complete(job, 0, 0, -5, 1 << 30);
  Complete(job, 1, 0, 1900, 1100);
  Complete(job, 2, 0, 5000, 6000);
  EXPECT_EQ(job.Placements(1000, 2000),
            (std::vector<RowsPlacement>{
                {0, 4, 0, 0, 0, 1000}, {4, 4, 0, 1, 900, 900}, {8, 4, 0, 2, 1000, 1000}}));
}

TEST_F(RowsPlacementTest, OfAHalvedChunkItsPartsAreThere) {
  RowsJob job = MakeJob();
  Complete(job, 0, 0, 1000, 1100);
  Complete(job, 2, 0, 1100, 1200);
  ASSERT_TRUE(job.Split(1));  // rows 4 to 7 are items 3 and 4
  Complete(job, 4, 1, 1200, 1300);
  job.GiveUp({.item = 3});
  EXPECT_EQ(job.Placements(1000, 2000),
            (std::vector<RowsPlacement>{
                {0, 4, 0, 0, 0, 100}, {6, 2, 1, 2, 200, 300}, {8, 4, 0, 1, 100, 200}}));
}

TEST_F(RowsPlacementTest, WhatWasSpoiltIsOfTheOneWhoDidItAgain) {
  RowsJob job = MakeJob();
  for (std::uint64_t item = 0; item < 3; ++item) Complete(job, item, 0, 1000, 1100);
  grid_.as<std::int32_t>()[5 * kWidth] = 99;
  ASSERT_EQ(job.Recheck(), std::vector<std::uint64_t>{1});
  EXPECT_EQ(job.Placements(1000, 2000).size(), 2U);
  Complete(job, 1, 1, 1500, 1600);
  EXPECT_EQ(job.Placements(1000, 2000)[1], (RowsPlacement{4, 4, 1, 3, 500, 600}));
}

class TeamPlacementTest : public RowsPlacementTest {
 protected:
  std::vector<RowsPlacement> Run(unsigned threads, const Plan& plan, bool timed) {
    ThreadTeam team(threads);
    const TeamJob job{fractal_, *FindKernel("scalar"), RowsPayload::kRows, plan, grid_, nullptr,
                      timed};
    std::vector<RowsPlacement> all;
    for (int run = 0; run < 2; ++run) {  // the second one is not to tell of the first
      all.clear();
      for (const ThreadTally& tally : team.Run(job)) {
        EXPECT_EQ(tally.placements.size(), tally.items);
        all.insert(all.end(), tally.placements.begin(), tally.placements.end());
      }
    }
    std::ranges::sort(all, {}, &RowsPlacement::first_row);
    return all;
  }
};

TEST_F(TeamPlacementTest, EveryChunkIsPlacedOnce) {
  for (const unsigned threads : {0U, 1U, 3U}) {
    for (const bool timed : {true, false}) {
      const Plan plan = MakePlan(kHeight, 12, std::max(threads, 1U), Schedule::kDynamic);
      const auto placements = Run(threads, plan, timed);
      ASSERT_EQ(placements.size(), 12U);
      std::set<std::uint64_t> orders;
      for (std::size_t row = 0; row < 12; ++row) {
        EXPECT_EQ(placements[row].first_row, row);
        EXPECT_EQ(placements[row].rows, 1U);
        EXPECT_LT(placements[row].slot, std::max(threads, 1U));
        EXPECT_EQ(placements[row].finished > 0, timed);
        EXPECT_LE(placements[row].begun, placements[row].finished);
        orders.insert(placements[row].order);
      }
      EXPECT_EQ(orders.size(), 12U);
      EXPECT_EQ(*orders.rbegin(), 11U);
    }
  }
}

TEST_F(TeamPlacementTest, UnderStaticTheOwnersHaveThem) {
  const Plan plan = MakePlan(kHeight, 6, 3, Schedule::kStatic);
  const auto placements = Run(3, plan, true);
  ASSERT_EQ(placements.size(), 6U);
  for (std::size_t chunk = 0; chunk < 6; ++chunk)
    EXPECT_EQ(placements[chunk].slot, plan.owners[chunk]);
}

}  // namespace
}  // namespace procpool
