// The ramps against what makes them what they are: the colours their authors published, lightness
// that grows evenly, ends that meet.
#include "master/colour_ramps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace procpool {
namespace {

struct Published {
  std::string_view name;
  const ColourRamp& ramp;
  int tolerance;
  std::array<Rgb, 5> quarters;  // of the table: entries 0, 64, 128, 192, 255 (twilight 0, 128, …)
};

// As matplotlib 3.6 has them, times 255, rounded.
const std::array published_ramps{
    Published{"viridis",
              kViridis,
              1,
              {{{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}}}},
    Published{"magma",
              kMagma,
              1,
              {{{0, 0, 4}, {81, 18, 124}, {183, 55, 121}, {252, 137, 97}, {252, 253, 191}}}},
    Published{"inferno",
              kInferno,
              1,
              {{{0, 0, 4}, {87, 16, 110}, {188, 55, 84}, {249, 142, 9}, {252, 255, 164}}}},
    Published{"plasma",
              kPlasma,
              2,
              {{{13, 8, 135}, {126, 3, 168}, {204, 71, 120}, {248, 149, 64}, {240, 249, 33}}}},
    Published{"cividis",
              kCividis,
              2,
              {{{0, 34, 78}, {67, 78, 108}, {125, 124, 120}, {188, 174, 108}, {254, 232, 56}}}},
    Published{"twilight",
              kTwilight,
              2,
              {{{226, 217, 226}, {98, 117, 186}, {48, 20, 55}, {179, 89, 83}, {226, 217, 226}}}},
};

/// L* of CIE 1976, 0 to 100.
double Lightness(const Rgb& colour) {
  const auto linear = [](std::uint8_t byte) {
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  const double luminance =
      0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
  return luminance > 216.0 / 24389 ? 116 * std::cbrt(luminance) - 16 : luminance * 24389 / 27;
}

int Difference(const Rgb& left, const Rgb& right) {
  return std::max({std::abs(left.red - right.red), std::abs(left.green - right.green),
                   std::abs(left.blue - right.blue)});
}

TEST(ColourRampTest, KeepsToThePublishedTables) {
  for (const Published& published : published_ramps) {
    const double last = published.ramp.IsCyclic() ? 509 : 255;
    for (std::size_t i = 0; i < published.quarters.size(); ++i) {
      const double entry = published.ramp.IsCyclic()
                               ? 128.0 * static_cast<double>(i)
                               : std::min(64.0 * static_cast<double>(i), 255.0);
      EXPECT_LE(Difference(published.ramp.At(std::min(entry / last, 1.0)), published.quarters[i]),
                published.tolerance)
          << published.name << " " << i;
    }
  }
}

TEST(ColourRampTest, SequentialOnesGrowLighterEvenly) {
  for (const Published& published : published_ramps) {
    if (published.ramp.IsCyclic()) continue;
    const double first = Lightness(published.ramp.At(0));
    const double last = Lightness(published.ramp.At(1));
    EXPECT_GT(last - first, 70) << published.name;
    constexpr int kSteps = 50;
    for (int i = 1; i <= kSteps; ++i) {
      const double step = Lightness(published.ramp.At(static_cast<double>(i) / kSteps)) -
                          Lightness(published.ramp.At(static_cast<double>(i - 1) / kSteps));
      EXPECT_GT(step, 0.3 * (last - first) / kSteps) << published.name << " " << i;
      EXPECT_LT(step, 2 * (last - first) / kSteps) << published.name << " " << i;
    }
  }
}

TEST(ColourRampTest, TwilightIsDarkInTheMiddleAndItsEndsMeet) {
  EXPECT_TRUE(kTwilight.IsCyclic());
  EXPECT_EQ(kTwilight.At(0), kTwilight.At(1));
  EXPECT_LE(Difference(kTwilight.At(0.998), kTwilight.At(0.002)), 2) << "and smoothly so";
  for (int i = 1; i <= 25; ++i) {
    const double t = i / 50.0;
    EXPECT_LT(Lightness(kTwilight.At(t)), Lightness(kTwilight.At(t - 0.02))) << t;
    EXPECT_LT(Lightness(kTwilight.At(1 - t)), Lightness(kTwilight.At(1 - t + 0.02))) << t;
    EXPECT_NEAR(Lightness(kTwilight.At(t)), Lightness(kTwilight.At(1 - t)), 4) << t;
  }
}

TEST(ColourRampTest, HasNoJumps) {
  for (const Published& published : published_ramps) {
    for (int i = 1; i <= 1000; ++i)
      EXPECT_LE(Difference(published.ramp.At(i / 1000.0), published.ramp.At((i - 1) / 1000.0)), 3)
          << published.name << " " << i;
  }
}

TEST(ColourRampTest, EndsAreColoursOfTheirOwnBeyondThem) {
  EXPECT_EQ(kViridis.At(-1), kViridis.At(0));
  EXPECT_EQ(kViridis.At(7), kViridis.At(1));
}

}  // namespace
}  // namespace procpool
