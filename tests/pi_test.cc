// Points for pi: the generator gives what its authors say, and any split the same hits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>
#include <random>

#include "common/philox.h"
#include "common/pi_payload.h"
#include "master/pi_job.h"

namespace procpool {
namespace {

TEST(Philox, GivesTheNumbersOfItsAuthors) {
  // The known answers that come with the authors' Random123.
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PointsInCircle, AnySplitGivesTheSame) {
  constexpr std::uint64_t kPoints = 100'000;
  const std::uint64_t whole = PointsInCircle({.seed = 7, .first = 0, .points = kPoints});
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 20; ++trial) {
    std::uint64_t sum = 0;
    for (std::uint64_t first = 0; first < kPoints;) {
      const std::uint64_t points = std::min(kPoints - first, random() % 30'000);
      sum += PointsInCircle({.seed = 7, .first = first, .points = points});
      first += points;
    }
    EXPECT_EQ(sum, whole);
  }
}

TEST(PointsInCircle, SeedsDiffer) {
  EXPECT_NE(PointsInCircle({.seed = 1, .points = 100'000}),
            PointsInCircle({.seed = 2, .points = 100'000}));
  EXPECT_NE(PointsInCircle({.seed = 1, .points = 100'000}),
            PointsInCircle({.seed = std::uint64_t{1} << 32, .points = 100'000}));
}

TEST(PointsInCircle, AreThoseOfACircle) {
  constexpr std::uint64_t kPoints = 4'000'000;
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{1} << 40}) {
    const auto inside =
        static_cast<double>(PointsInCircle({.seed = 3, .first = first, .points = kPoints}));
    constexpr double kShare = std::numbers::pi / 4;
    const double deviation = std::sqrt(kPoints * kShare * (1 - kShare));
    EXPECT_LT(std::abs(inside - kPoints * kShare), 5 * deviation);
  }
}

TEST(PiJob, SpreadsThePointsEvenly) {
  for (const std::uint64_t points : {1U, 10U, 11U, 19U, 20U}) {
    const std::size_t items = std::min<std::size_t>(points, 10);
    PiJob job(5, points, items);
    std::uint64_t next = 0;
    for (std::uint64_t item = 0; item < job.items(); ++item) {
      PiItem bytes;
      const ItemInput input = job.Begin({item, 0});
      ASSERT_EQ(input.input.size(), sizeof bytes);
      std::memcpy(&bytes, input.input.data(), sizeof bytes);
      EXPECT_EQ(bytes.seed, 5U);
      EXPECT_EQ(bytes.first, next);
      EXPECT_GE(bytes.points, points / items);
      EXPECT_LE(bytes.points, points / items + 1);
      next += bytes.points;
    }
    EXPECT_EQ(next, points);
  }
}

TEST(PiJob, RefusesWhatCannotBe) {
  PiJob job(5, 10, 1);
  EXPECT_FALSE(job.PlaceFor({0, 0}, 0, 4));
  EXPECT_FALSE(job.PlaceFor({0, 0}, 4, 8));
  const std::uint64_t too_many = 11;
  std::memcpy(job.PlaceFor({0, 0}, 0, 8)->data(), &too_many, 8);
  EXPECT_FALSE(job.Complete({0, 0}, {.bytes = 8}));
  const std::uint64_t eight = 8;
  std::memcpy(job.PlaceFor({0, 0}, 0, 8)->data(), &eight, 8);
  EXPECT_FALSE(job.Complete({0, 0}, {.bytes = 4}));
  EXPECT_TRUE(job.Complete({0, 0}, {.bytes = 8}));
  EXPECT_EQ(job.inside(), 8U);
}

}  // namespace
}  // namespace procpool
