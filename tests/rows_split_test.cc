// Chunks that kill their workers, without any process: they are taken apart until only the rows
// that kill are given up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "common/checksum.h"
#include "common/kernel.h"
#include "master/given_up_rows.h"
#include "master/prepared_coords.h"
#include "master/rows_job.h"
#include "tests/many_jobs.h"

namespace procpool {
namespace {

constexpr std::uint64_t kWidth = 3;

Fractal FractalOf(std::uint32_t height) {
  Fractal fractal;
  fractal.real = {AxisRule::kLinear, kWidth, -1.5, 0.25};
  fractal.imaginary = {AxisRule::kLinear, height, -1.0, 0.25};
  fractal.max_iterations = 50;
  return fractal;
}

// ---- the job

class RowsSplit : public ::testing::Test {
 protected:
  RowsSplit() { StartLog("test", "off"); }
  RowsJob JobWith(RowsJobOptions options) {
    options.kernel = "scalar";
    options.allocate = Buffer::Private;
    return {fractal_, plan_, grid_, options};
  }

  Fractal fractal_ = FractalOf(10);
  Plan plan_ = MakePlan(10, 2, 1, Schedule::kDynamic);  // five rows each
  Buffer grid_ = Buffer::Private(10 * kWidth * sizeof(std::int32_t));
};

TEST_F(RowsSplit, AChunkBecomesTwoHalvesDownToTheRow) {
  RowsJob job = JobWith({});
  EXPECT_TRUE(job.Split(1));
  ASSERT_EQ(job.items(), 4U);
  EXPECT_EQ(job.chunks()[2], (Chunk{2, 5, 2}));
  EXPECT_EQ(job.chunks()[3], (Chunk{3, 7, 3}));
  EXPECT_TRUE(job.Split(2));
  ASSERT_EQ(job.items(), 6U);
  EXPECT_EQ(job.chunks()[4], (Chunk{4, 5, 1}));
  EXPECT_EQ(job.chunks()[5], (Chunk{5, 6, 1}));
  EXPECT_FALSE(job.Split(4)) << "it is one row";
  EXPECT_EQ(job.items(), 6U);
  EXPECT_EQ(plan_.chunks.size(), 2U) << "the plan is what was planned";
}

TEST_F(RowsSplit, APartOfManyRowsNeedsNoMoreProof) {
  RowsJob job = JobWith({});
  ASSERT_TRUE(job.Split(0) && job.Split(2));
  EXPECT_EQ(job.MostDeaths(1, 3), 3U) << "planned";
  EXPECT_EQ(job.MostDeaths(3, 3), 1U) << "three rows";
  EXPECT_EQ(job.MostDeaths(4, 3), 3U) << "one row";
}

TEST_F(RowsSplit, InputsThatAreOnTheirWayStayWhereTheyAre) {
  RowsJob job = JobWith({});
  const ItemInput input = job.Begin({0, 0});
  const std::vector<std::byte> before(input.input.begin(), input.input.end());
  ASSERT_TRUE(job.Split(1));
  for (std::uint64_t item = 2; item < 6; ++item) job.Split(item);
  EXPECT_TRUE(std::ranges::equal(input.input, before));
  const ItemInput part = job.Begin({3, 0});
  RowsItem rows;
  ASSERT_EQ(part.input.size(), sizeof rows);
  std::memcpy(&rows, part.input.data(), sizeof rows);
  EXPECT_EQ(rows.first_row, 7U);
  EXPECT_EQ(rows.rows, 3U);
}

// Wherever the chunks' coordinates come from.
TEST_F(RowsSplit, CoordinatesArePartsOfThoseOfTheChunk) {
  const Buffer prepared = PrepareCoords(fractal_, plan_, Buffer::Private);
  for (const bool has_prepared : {false, true}) {
    for (const bool copy : {false, true}) {
      for (const CodecId codec : {CodecId::kRaw, CodecId::kCereal}) {
        RowsJob job = JobWith({.payload = RowsPayload::kCoords,
                               .codec = codec,
                               .prepared = has_prepared ? &prepared : nullptr,
                               .copy_prepared = copy});
        ASSERT_TRUE(job.Split(1));
        const ItemInput input = job.Begin({3, 0});  // rows 7 to 9
        const std::size_t points = 3 * kWidth;
        std::vector<double> expected(4 * points);
        FillCoords(fractal_, AxisPoints(fractal_.RowAxis()), AxisPoints(fractal_.ColumnAxis()),
                   7 * kWidth, points, expected.data(), expected.data() + 2 * points);
        std::vector<double> got;
        if (codec == CodecId::kRaw) {
          got.resize(input.input.size() / sizeof(double));
          std::memcpy(got.data(), input.input.data(), input.input.size());
        } else {
          const auto reader = MakeCodec(codec);  // the view may lie in it
          CoordsView coords;
          ASSERT_EQ(reader->DecodeCoords(input.input, points, coords), std::nullopt);
          got.assign(coords.z.begin(), coords.z.end());
          got.insert(got.end(), coords.c.begin(), coords.c.end());
          EXPECT_GT(job.codec_times(3).encoding, 0);
        }
        EXPECT_EQ(got, expected) << has_prepared << copy;
      }
    }
  }
}

// ---- the grid

TEST_F(RowsSplit, TheChecksumIsThatOfTheGridWhoeverBroughtTheRows) {
  std::vector<Chunk> chunks{{0, 0, 4}, {1, 4, 6}};
  Assembly assembly(grid_, kWidth, chunks);
  const auto deliver = [&](std::uint64_t chunk, std::int32_t first) {
    assembly.Begin(chunk);
    const std::uint64_t bytes = assembly.BytesOf(chunk).size();
    const auto place = assembly.PlaceFor(chunk, 0, bytes);
    ASSERT_TRUE(place);
    const std::span counts(reinterpret_cast<std::int32_t*>(place->data()), bytes / 4);
    for (std::int32_t& count : counts) count = first++;
    EXPECT_TRUE(assembly.Complete(chunk, bytes, Hash(*place)));
  };
  assembly.Begin(0);
  chunks.push_back({2, 0, 2});
  chunks.push_back({3, 2, 2});
  assembly.Split(0);
  EXPECT_FALSE(assembly.AllRowsIn());
  deliver(3, 1000);
  deliver(1, 2000);
  EXPECT_FALSE(assembly.AllRowsIn());
  deliver(2, 3000);
  EXPECT_TRUE(assembly.AllRowsIn());
  EXPECT_TRUE(assembly.Finish().empty());
  EXPECT_EQ(assembly.checksum(), ChecksumOf(grid_.as<std::int32_t>()));
  EXPECT_FALSE(assembly.IsComplete(0));
  // What is written over is found in a part as well.
  grid_.as<std::int32_t>()[3 * kWidth] = -5;
  EXPECT_EQ(assembly.Finish(), std::vector<std::uint64_t>{3});
  EXPECT_FALSE(assembly.AllRowsIn());
  deliver(3, 1000);
  EXPECT_TRUE(assembly.Finish().empty());
  EXPECT_TRUE(assembly.AllRowsIn());
}

// ---- the whole of it

// Workers that die at certain rows, and answer each other row with its number.
class DeadlyRows {
 public:
  DeadlyRows(std::uint32_t height, std::uint64_t chunks, unsigned procs, Schedule schedule,
             std::set<std::uint64_t> deadly)
      : fractal_(FractalOf(height)),
        plan_(MakePlan(height, chunks, procs, schedule)),
        grid_(Buffer::Private(height * kWidth * sizeof(std::int32_t))),
        job_(fractal_, plan_, grid_, {.kernel = "scalar", .timed = false}),
        many_(procs, RestartLimit(0, 0)),
        deadly_(std::move(deadly)) {}

  /// Each worker does what it does with the oldest item it has, turn by turn.
  JobReport Run(unsigned most_deaths) {
    const auto id = many_.Begin(job_, {.most_deaths = most_deaths});
    for (int turn = 0; !many_.Ended(id); ++turn) {
      EXPECT_LT(turn, 100'000) << "it does not end";
      if (turn == 100'000) return {};
      for (std::size_t worker = 0; worker < many_.workers.slots(); ++worker) {
        const auto& slot = many_.workers.slots_[worker];
        if (!many_.workers.IsReady(worker) || slot.given.empty()) continue;
        const Chunk& chunk = job_.chunks()[slot.given.front().given.item];
        many_.workers.Begins(worker, 0);
        if (Kills(chunk)) {
          many_.workers.Crash(worker);
        } else {
          many_.workers.Answer(worker, CountsOf(chunk));
        }
      }
      many_.Turn();
    }
    return many_.Report(id);
  }
  /// Exactly the deadly rows are missing; the others are as they should be.
  void ExpectOnlyTheDeadlyRowsAreMissing(const JobReport& report) {
    std::set<std::uint64_t> missing;
    for (const GivenUpRows& rows : GivenUpRowsOf(report.given_up, job_.chunks())) {
      for (std::uint64_t row = rows.first_row; row < rows.first_row + rows.rows; ++row) {
        EXPECT_TRUE(missing.insert(row).second) << "row " << row << " is named twice";
      }
    }
    EXPECT_EQ(missing, deadly_);
    const std::span<std::int32_t> counts = grid_.as<std::int32_t>();
    for (std::size_t at = 0; at < counts.size(); ++at) {
      const auto row = static_cast<std::int32_t>(at / kWidth);
      ASSERT_EQ(counts[at], deadly_.contains(at / kWidth) ? kGivenUpCount : row) << "row " << row;
    }
    EXPECT_TRUE(report.all_answered);
    EXPECT_EQ(job_.assembly().AllRowsIn(), deadly_.empty());
    EXPECT_EQ(job_.assembly().checksum(), ChecksumOf(counts));
  }

  RowsJob& job() { return job_; }
  ManyJobs& many() { return many_; }

 private:
  bool Kills(const Chunk& chunk) const {
    const auto next = deadly_.lower_bound(chunk.first_row);
    return next != deadly_.end() && *next < chunk.first_row + chunk.rows;
  }
  static std::string CountsOf(const Chunk& chunk) {
    std::vector<std::int32_t> counts;
    for (std::uint64_t row = chunk.first_row; row < chunk.first_row + chunk.rows; ++row)
      counts.insert(counts.end(), kWidth, static_cast<std::int32_t>(row));
    return {reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(std::int32_t)};
  }

  Fractal fractal_;
  Plan plan_;
  Buffer grid_;
  RowsJob job_;
  ManyJobs many_;
  std::set<std::uint64_t> deadly_;
};

TEST(RowsBisection, OneRowOfAChunkIsFound) {
  DeadlyRows rows(64, 4, 2, Schedule::kDynamic, {21});
  const JobReport report = rows.Run(3);
  EXPECT_EQ(report.status, JobReport::Status::kFailed);
  rows.ExpectOnlyTheDeadlyRowsAreMissing(report);
  // Three for the chunk of 16, one for each of 8, 4 and 2, three for the row.
  EXPECT_EQ(report.deaths, 3U + 3U + 3U);
  ASSERT_EQ(report.given_up.size(), 1U);
  EXPECT_NE(report.given_up[0].reason.find("killed 3 workers"), std::string::npos)
      << report.given_up[0].reason;
  EXPECT_EQ(rows.job().planned_done(), 3U);
}

TEST(RowsBisection, AChunkWhoseTaskThrewIsNotTakenApart) {
  DeadlyRows rows(8, 2, 1, Schedule::kDynamic, {});
  const auto id = rows.many().Begin(rows.job());
  rows.many().Turn(2);
  rows.many().workers.Throw(0);
  rows.many().Turn();
  EXPECT_EQ(rows.job().items(), 2U);
  rows.many().dispatch.Abort();
  rows.many().Turn();
  EXPECT_EQ(rows.many().Report(id).given_up.size(), 1U);
}

TEST(RowsBisection, WhereEveryRowKillsAllAreNamedAsOneRange) {
  DeadlyRows rows(5, 2, 2, Schedule::kDynamic, {0, 1, 2, 3, 4});
  const JobReport report = rows.Run(2);
  rows.ExpectOnlyTheDeadlyRowsAreMissing(report);
  EXPECT_EQ(GivenUpRowsOf(report.given_up, rows.job().chunks()).size(), 1U);
}

TEST(RowsBisection, WhateverThePlanAndWhicheverRowsKill) {
  std::mt19937 random(20);
  const auto pick = [&](std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random);
  };
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const auto height = static_cast<std::uint32_t>(pick(1, 60));
    std::set<std::uint64_t> deadly;
    for (std::uint64_t left = pick(0, pick(0, 12)); left > 0; --left)
      deadly.insert(pick(0, height - 1));
    const auto schedule = static_cast<Schedule>(pick(0, 2));
    DeadlyRows rows(height, pick(1, 12), static_cast<unsigned>(pick(1, 4)), schedule, deadly);
    const auto most_deaths = static_cast<unsigned>(pick(1, 4));
    const JobReport report = rows.Run(most_deaths);
    EXPECT_EQ(report.status,
              deadly.empty() ? JobReport::Status::kDone : JobReport::Status::kFailed);
    rows.ExpectOnlyTheDeadlyRowsAreMissing(report);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace procpool
