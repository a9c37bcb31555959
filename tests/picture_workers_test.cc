// The picture of who computed what: hues, shades, lines between chunks, as Oklch sees them.
#include "master/picture_workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <set>
#include <vector>

namespace procpool {
namespace {

/// Lightness, chroma and hue of a colour: the way back of FromOklch(), by Ottosson's own matrices.
struct Oklch {
  double lightness = 0;
  double chroma = 0;
  double hue = 0;  ///< degrees, 0 to 360
};

Oklch ToOklch(const Rgb& colour) {
  const auto linear = [](std::uint8_t byte) {
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  const double r = linear(colour.red);
  const double g = linear(colour.green);
  const double b = linear(colour.blue);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const double a_axis = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
  const double b_axis = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
  const double hue = std::atan2(b_axis, a_axis) * 180 / std::numbers::pi;
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, std::hypot(a_axis, b_axis),
          hue < 0 ? hue + 360 : hue};
}

double HueDistance(double left, double right) {
  const double distance = std::abs(left - right);
  return std::min(distance, 360 - distance);
}

constexpr std::uint32_t kWidth = 2;

/// A picture of rows whose counts are all 0.
class WorkersPictureTest : public ::testing::Test {
 protected:
  GridView Grid(std::uint32_t height, bool origin_lower = false) {
    counts_.assign(std::size_t{kWidth} * height, 0);
    return {counts_, kWidth, height, origin_lower};
  }
  static Rgb First(const Picture& picture, std::uint32_t line) {
    std::vector<std::uint8_t> rgb(3 * std::size_t{picture.width()});
    picture.Colours(line, rgb);
    return {rgb[0], rgb[1], rgb[2]};
  }
  static Oklch At(const Picture& picture, std::uint32_t line) {
    return ToOklch(First(picture, line));
  }
  /// One row for each worker.
  static std::vector<RowsPlacement> OneRowEach(std::size_t workers) {
    std::vector<RowsPlacement> placements;
    for (std::size_t slot = 0; slot < workers; ++slot)
      placements.push_back({slot, 1, slot, 0, 100, 200});
    return placements;
  }

  std::vector<std::int32_t> counts_;
};

TEST_F(WorkersPictureTest, WorkersHaveHuesOfTheirOwnAndOneLightness) {
  for (const std::size_t workers : {1U, 2U, 4U, 7U, 12U}) {
    const auto placements = OneRowEach(workers);
    const WorkersPicture picture(Grid(static_cast<std::uint32_t>(workers)), placements, workers);
    EXPECT_TRUE(picture.palette().empty());
    for (std::uint32_t row = 0; row < workers; ++row) {
      EXPECT_NEAR(At(picture, row).lightness, At(picture, 0).lightness, 0.02) << row;
      EXPECT_GT(At(picture, row).chroma, 0.08) << row;
      for (std::uint32_t other = 0; other < row; ++other)
        EXPECT_GT(HueDistance(At(picture, row).hue, At(picture, other).hue),
                  0.7 * 360 / static_cast<double>(workers))
            << workers << " workers: " << row << " and " << other;
    }
  }
}

TEST_F(WorkersPictureTest, BeyondTwelveTheHuesComeAgainPaler) {
  const auto placements = OneRowEach(26);
  const WorkersPicture picture(Grid(26), placements, 26);
  EXPECT_LT(HueDistance(At(picture, 13).hue, At(picture, 1).hue), 5);
  EXPECT_LT(At(picture, 13).chroma, 0.7 * At(picture, 1).chroma);
  EXPECT_EQ(First(picture, 25), First(picture, 1));
  std::set<std::array<int, 3>> colours;
  for (std::uint32_t row = 0; row < 24; ++row) {
    const Rgb colour = First(picture, row);
    colours.insert({colour.red, colour.green, colour.blue});
  }
  EXPECT_EQ(colours.size(), 24U);
}

TEST_F(WorkersPictureTest, LaterIsLighter) {
  // Worker 0 has the outer rows, one after the other, and worker 1 the middle at the same time.
  const std::vector<RowsPlacement> placements{
      {0, 2, 0, 0, 1000, 2000}, {2, 2, 1, 1, 1000, 3000}, {4, 2, 0, 2, 2000, 3000}};
  const WorkersPicture picture(Grid(6), placements, 2);
  EXPECT_LT(At(picture, 0).lightness, At(picture, 1).lightness);
  EXPECT_LT(At(picture, 1).lightness, At(picture, 4).lightness);
  EXPECT_LT(At(picture, 4).lightness, At(picture, 5).lightness);
  EXPECT_NEAR(At(picture, 2).lightness, (At(picture, 0).lightness + At(picture, 1).lightness) / 2,
              0.02)
      << "a quarter of its time is half of the other's";
  EXPECT_LT(HueDistance(At(picture, 0).hue, At(picture, 5).hue), 5);
}

TEST_F(WorkersPictureTest, WithoutTimesTheOrderCounts) {
  const std::vector<RowsPlacement> placements{{0, 1, 0, 2}, {1, 1, 0, 0}, {2, 1, 0, 1}};
  const WorkersPicture picture(Grid(3), placements, 1);
  EXPECT_LT(At(picture, 1).lightness, At(picture, 2).lightness);
  EXPECT_LT(At(picture, 2).lightness, At(picture, 0).lightness);
}

TEST_F(WorkersPictureTest, ADarkLinePartsChunksThatAreTallEnough) {
  const std::vector<RowsPlacement> placements{
      {0, 6, 0, 0, 10, 10}, {6, 6, 0, 0, 10, 10}, {12, 5, 0, 0, 10, 10}};
  const auto dark_lines = [&](bool origin_lower) {
    const WorkersPicture picture(Grid(17, origin_lower), placements, 1);
    std::vector<std::uint32_t> dark;
    for (std::uint32_t line = 0; line < 17; ++line)
      if (At(picture, line).lightness < 0.40) dark.push_back(line);
    return dark;
  };
  EXPECT_EQ(dark_lines(false), std::vector<std::uint32_t>{6});
  // Rows 11 and 5 from below: lines 5 and 11.
  EXPECT_EQ(dark_lines(true), (std::vector<std::uint32_t>{5, 11}));
}

TEST_F(WorkersPictureTest, LargerCountsAreLighterAndRowsGivenUpMagenta) {
  GridView grid = Grid(3);
  counts_ = {0, 80'000, 40'000, 80'000, -1, -1};
  grid.counts = counts_;
  const std::vector<RowsPlacement> placements{{0, 1, 0, 0, 0, 10}, {1, 1, 0, 1, 0, 10}};
  const WorkersPicture picture(grid, placements, 1);
  std::vector<std::uint8_t> rgb(6);
  picture.Colours(0, rgb);
  const Oklch small = ToOklch({rgb[0], rgb[1], rgb[2]});
  const Oklch large = ToOklch({rgb[3], rgb[4], rgb[5]});
  EXPECT_GT(large.lightness, small.lightness + 0.1);
  EXPECT_LT(HueDistance(large.hue, small.hue), 6);
  EXPECT_GT(At(picture, 1).lightness, small.lightness + 0.05);
  EXPECT_EQ(First(picture, 2), kGivenUpColour);
}

TEST_F(WorkersPictureTest, RowsThatNobodyDidAreGray) {
  const std::vector<RowsPlacement> placements{{1, 1, 0, 0, 0, 10}};
  const WorkersPicture picture(Grid(3), placements, 1);
  for (const std::uint32_t line : {0U, 2U}) {
    const Rgb colour = First(picture, line);
    EXPECT_TRUE(colour.red == colour.green && colour.green == colour.blue);
  }
  const WorkersPicture empty(Grid(1), {}, 1);
  EXPECT_EQ(First(empty, 0).red, First(empty, 0).blue);
}

}  // namespace
}  // namespace procpool
