// Results under a codec on the master's side, without any process: staged piece by piece, no more
// than they can be, and decoded only when they are whole.
#include "master/coded_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/log.h"
#include "master/rows_job.h"
#include "tests/codec_fixture.h"

namespace procpool {
namespace {

constexpr std::uint64_t kWidth = 10;
constexpr std::uint64_t kHeight = 6;

Fractal SmallFractal() {
  Fractal fractal;
  fractal.real = {AxisRule::kLinear, kWidth, -1.5, 0.25};
  fractal.imaginary = {AxisRule::kLinear, kHeight, -1.0, 0.25};
  fractal.max_iterations = 50;
  return fractal;
}

// A job of three chunks of two rows, whose worker is the test.
class CodedRowsTest : public CodecFixture {
 protected:
  CodedRowsTest() { StartLog("test", "off"); }
  RowsJob MakeJob(RowsPayload payload) { return JobWith(payload, GetParam().id); }
  RowsJob JobWith(RowsPayload payload, CodecId codec) {
    return {fractal_,
            plan_,
            grid_,
            {.kernel = "scalar", .payload = payload, .codec = codec, .allocate = Buffer::Private}};
  }
  // Posts a result in two pieces, as a worker would.
  bool Answer(RowsJob& job, const GivenItem& given, std::span<const std::byte> bytes,
              bool in_place = false) {
    const std::size_t half = bytes.size() / 2;
    for (const auto& [offset, piece] :
         {std::pair(std::size_t{0}, bytes.first(half)), std::pair(half, bytes.subspan(half))}) {
      const auto place = job.PlaceFor(given, offset, piece.size());
      if (!place || place->size() != piece.size()) return false;
      std::ranges::copy(piece, place->begin());
    }
    return job.Complete(given, {.bytes = bytes.size(), .in_place = in_place});
  }
  std::vector<std::int32_t> Counts(std::int32_t first, std::size_t count = 2 * kWidth) {
    std::vector<std::int32_t> counts(count);
    std::iota(counts.begin(), counts.end(), first);
    return counts;
  }

  Fractal fractal_ = SmallFractal();
  Plan plan_ = MakePlan(kHeight, 3, 1, Schedule::kDynamic);
  Buffer grid_ = Buffer::Private(kWidth * kHeight * sizeof(std::int32_t));
};

TEST_P(CodedRowsTest, ResultsEndUpInTheGridInAnyOrder) {
  RowsJob job = MakeJob(RowsPayload::kRows);
  for (const std::uint64_t item : {2, 0, 1}) {
    const GivenItem given{item, 0};
    const ItemInput input = job.Begin(given);
    EXPECT_TRUE(input.place.empty());
    RowsItem rows;
    EXPECT_EQ(codec_->DecodeRows(input.input, rows), std::nullopt);
    EXPECT_EQ(rows.first_row, 2 * item);
    EXPECT_EQ(rows.rows, 2U);
  }
  for (const std::uint64_t item : {1, 2, 0}) {
    const auto first = static_cast<std::int32_t>(item * 2 * kWidth);
    EXPECT_TRUE(Answer(job, {item, 0}, EncodedCounts(Counts(first))));
  }
  EXPECT_TRUE(job.Recheck().empty());
  EXPECT_TRUE(job.assembly().AllRowsIn());
  EXPECT_TRUE(std::ranges::equal(grid_.as<std::int32_t>(), Counts(0, kWidth * kHeight)));
}

TEST_P(CodedRowsTest, CoordinatesAreThoseOfTheChunk) {
  RowsJob raw = JobWith(RowsPayload::kCoords, CodecId::kRaw);
  RowsJob job = MakeJob(RowsPayload::kCoords);
  for (const std::uint64_t item : {0, 2}) {
    const ItemInput expected = raw.Begin({item, 0});
    const ItemInput input = job.Begin({item, 0});
    CoordsView coords;
    ASSERT_EQ(codec_->DecodeCoords(input.input, 2 * kWidth, coords), std::nullopt);
    std::vector<double> both(coords.z.begin(), coords.z.end());
    both.insert(both.end(), coords.c.begin(), coords.c.end());
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(both)), expected.input));
  }
  EXPECT_GT(job.codec_times(2).encoding, 0);
  EXPECT_EQ(raw.codec_times().encoding, 0);
}

TEST_P(CodedRowsTest, WrongResultsAreRefusedAndTheChunkCanBeginAgain) {
  const Bytes right = EncodedCounts(Counts(7));
  const Bytes fewer = EncodedCounts(Counts(7, 2 * kWidth - 1));
  const Bytes more = EncodedCounts(Counts(7, 2 * kWidth + 1));
  Bytes cut = right;
  ASSERT_FALSE(cut.empty());
  cut.pop_back();
  RowsJob job = MakeJob(RowsPayload::kRows);
  std::uint32_t attempt = 0;
  for (const Bytes& wrong : {fewer, more, cut, Bytes(), Bytes(40, std::byte{0xA5})}) {
    const GivenItem given{1, attempt++};
    job.Begin(given);
    EXPECT_FALSE(Answer(job, given, wrong)) << attempt;
    job.Return(given);
  }
  const GivenItem given{1, attempt};
  job.Begin(given);
  EXPECT_TRUE(Answer(job, given, right));
  EXPECT_EQ(grid_.as<std::int32_t>()[2 * kWidth], 7);
  EXPECT_FALSE(job.assembly().AllRowsIn());
}

// The staging memory still holds what an earlier result left there.
TEST_P(CodedRowsTest, AResultIsOnlyWhatArrived) {
  const Bytes right = EncodedCounts(Counts(7));
  RowsJob job = MakeJob(RowsPayload::kRows);
  job.Begin({0, 0});
  ASSERT_TRUE(Answer(job, {0, 0}, right));
  job.Begin({1, 0});
  const auto place = job.PlaceFor({1, 0}, 0, 1);
  ASSERT_TRUE(place);
  std::ranges::copy(std::span(right).first(1), place->begin());
  EXPECT_FALSE(job.Complete({1, 0}, {.bytes = right.size()}));
}

TEST_P(CodedRowsTest, AResultCannotLieInPlaceForItGotNone) {
  RowsJob job = MakeJob(RowsPayload::kRows);
  job.Begin({0, 0});
  EXPECT_FALSE(Answer(job, {0, 0}, EncodedCounts(Counts(0)), true));
}

TEST_P(CodedRowsTest, NothingIsPlacedOutOfOrderOrBeyondTheLongestResult) {
  RowsJob job = MakeJob(RowsPayload::kRows);
  const GivenItem given{0, 0};
  job.Begin(given);
  const std::uint64_t most = codec_->MostCountsBytes(2 * kWidth);
  EXPECT_FALSE(job.PlaceFor(given, 0, most + 1));
  EXPECT_FALSE(job.PlaceFor(given, 0, std::uint64_t{1} << 40U));
  EXPECT_FALSE(job.PlaceFor(given, 1, 1));
  EXPECT_TRUE(job.PlaceFor(given, 0, most - 1));
  EXPECT_FALSE(job.PlaceFor(given, 0, 1));
  EXPECT_FALSE(job.PlaceFor(given, most - 1, 2));
  EXPECT_TRUE(job.PlaceFor(given, most - 1, 1));
  EXPECT_FALSE(job.PlaceFor(given, most, 1));
}

INSTANTIATE_TEST_SUITE_P(Codecs, CodedRowsTest, testing::ValuesIn(Codecs().subspan(1)),
                         CodecTestName);

}  // namespace
}  // namespace procpool
