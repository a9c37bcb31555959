// The colours of each map, worked out by hand from what draws the documents' pictures:
//
//   pure-gray      High Performance Python, chapter 2, show_greyscale: [int(n / max * 255)], bytes
//                  of an image "L"
//   false-gray     the same, show_false_greyscale: n as above, then (n + 256 n + 256^2 n) * 16 in
//                  32 bits, read as "RGBX": the lowest byte is red, the highest one unused
//   false-gray-8   the EuroPython 2011 tutorial: (n + 256 n + 256^2 n) * 8 of the count itself,
//                  read as "RGBX"
//   power          the Parallel Python Workshop: imshow(n^(1/3)), which stretches the least to the
//                  largest over matplotlib's own map, viridis
//
// Where the first row of the grid is shown is no matter of maps: a workload's `origin` says it. The
// programs of the book and of the tutorial hand their rows to the imaging library from the bottom
// upwards (orientation -1).
#include "master/colormap.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <vector>

#include <procpool/error.h>

namespace procpool {
namespace {

std::vector<Rgb> Coloured(std::string_view map, const std::vector<std::int32_t>& counts,
                          const CountRange& range) {
  const ColormapInfo& info = FindColormap(map);
  std::vector<Rgb> colours;
  colours.reserve(counts.size());
  for (const std::int32_t count : counts) colours.push_back(info.colour(info.level(count, range)));
  return colours;
}

/// For the order of a ramp: Rec. 709 weights are enough.
double Lightness(const Rgb& colour) {
  return 0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue;
}

TEST(RangeTest, LeavesOutPointsGivenUp) {
  EXPECT_EQ(RangeOf(std::array{5, 3, 9}), (CountRange{3, 9, false}));
  EXPECT_EQ(RangeOf(std::array{5, -1, 9}), (CountRange{5, 9, true}));
  EXPECT_EQ(RangeOf(std::array{-1, -1}), (CountRange{0, 0, true}));
  EXPECT_EQ(RangeOf({}), (CountRange{0, 0, false}));
  const std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(RangeOf(std::array{largest, -1}), (CountRange{largest, largest, true}));
}

TEST(ColormapTest, PureGrayRoundsDownLikeTheBook) {
  // int(n / 300 * 255): 1 -> 0.85, 2 -> 1.7, 150 -> 127.5, 299 -> 254.15
  const auto colours = Coloured("pure-gray", {0, 1, 2, 150, 299, 300}, {0, 300});
  EXPECT_EQ(
      colours,
      (std::vector<Rgb>{
          {0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {127, 127, 127}, {254, 254, 254}, {255, 255, 255}}));
}

TEST(ColormapTest, FalseGrayCarriesFromRedOverGreenToBlue) {
  // With a maximum of 255 the level is the count. 15 * 16 = 240 fits a byte; 16 * 16 = 256 carries
  // one into green.
  const auto colours = Coloured("false-gray", {0, 15, 16, 255}, {0, 255});
  EXPECT_EQ(colours, (std::vector<Rgb>{{0, 0, 0}, {240, 240, 240}, {0, 1, 1}, {240, 255, 255}}));
  // The count is brought to 0..255 first: 16 of 510 is level 8.
  EXPECT_EQ(Coloured("false-gray", {16}, {0, 510}), (std::vector<Rgb>{{128, 128, 128}}));
}

TEST(ColormapTest, FalseGray8TakesTheCountAsItIs) {
  // 999 * 8 = 7992 = 31 * 256 + 56: red 56, green 56 + 31, blue 56 + 31.
  const auto colours = Coloured("false-gray-8", {1, 31, 32, 999}, {0, 999});
  EXPECT_EQ(colours, (std::vector<Rgb>{{8, 8, 8}, {248, 248, 248}, {0, 1, 1}, {56, 87, 87}}));
  // As in 32 bits: what does not fit is dropped, and nothing overflows.
  const std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(Coloured("false-gray-8", {largest}, {0, largest}),
            (std::vector<Rgb>{{0xF8, 0xF7, 0xF7}}));
}

TEST(ColormapTest, PowerStretchesSmallestToLargestAndGrowsLighter) {
  std::vector<std::int32_t> counts(974);
  std::iota(counts.begin(), counts.end(), 50);
  const auto colours = Coloured("power", counts, {50, 1023});
  EXPECT_EQ(colours.front(), Coloured("power", {0}, {0, 7}).front());
  EXPECT_EQ(colours.back(), Coloured("power", {7}, {0, 7}).front());
  for (std::size_t i = 1; i < colours.size(); ++i)
    EXPECT_GE(Lightness(colours[i]) + 0.5, Lightness(colours[i - 1])) << i;
  EXPECT_GT(Lightness(colours.back()) - Lightness(colours.front()), 180);
  EXPECT_EQ(colours.front(), (Rgb{68, 1, 84}));
  EXPECT_EQ(colours.back(), (Rgb{253, 231, 36}));
  // 2 is a third of the way from 1 to 4, and 1 of the way from 0 to 3.
  EXPECT_EQ(Coloured("power", {8}, {1, 64}), Coloured("power", {1}, {0, 27}));
}

TEST(ColormapTest, EveryMapTakesGridsWithoutExtentAndLargeCounts) {
  const std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  for (const ColormapInfo& info : Colormaps()) {
    if (info.source != ColourSource::kCounts) continue;
    EXPECT_EQ(Coloured(info.name, {0}, {0, 0}).size(), 1U);
    EXPECT_EQ(Coloured(info.name, {7}, {7, 7}).size(), 1U);
    EXPECT_EQ(Coloured(info.name, {largest - 1, largest}, {0, largest}).size(), 2U);
  }
}

TEST(ColormapTest, LevelsGrowWithCounts) {
  for (const ColormapInfo& info : Colormaps()) {
    if (info.source != ColourSource::kCounts) continue;
    for (const CountRange range : {CountRange{0, 4999}, CountRange{17, 301}}) {
      for (std::int32_t count = range.min; count < range.max; ++count)
        ASSERT_LE(info.level(count, range), info.level(count + 1, range)) << info.name << count;
    }
  }
}

TEST(ColormapTest, NoCountHasTheColourOfPointsGivenUp) {
  std::vector<std::int32_t> counts(5000);
  std::iota(counts.begin(), counts.end(), 0);
  for (const ColormapInfo& info : Colormaps()) {
    if (info.source != ColourSource::kCounts) continue;
    for (const Rgb& colour : Coloured(info.name, counts, {0, 4999}))
      ASSERT_NE(colour, kGivenUpColour) << info.name;
  }
}

TEST(ColormapTest, MapsThatSayGrayAreGray) {
  for (const ColormapInfo& info : Colormaps()) {
    if (!info.gray) continue;
    for (std::int32_t count = 0; count <= 300; ++count) {
      const Rgb colour = info.colour(info.level(count, {0, 300}));
      EXPECT_TRUE(colour.red == colour.green && colour.green == colour.blue) << info.name << count;
    }
  }
}

TEST(ColormapTest, EachHasWhatItsKindNeeds) {
  for (const ColormapInfo& info : Colormaps()) {
    EXPECT_EQ(info.level != nullptr && info.colour != nullptr, info.source == ColourSource::kCounts)
        << info.name;
    EXPECT_EQ(info.ramp != nullptr, info.source == ColourSource::kSmoothValues) << info.name;
    EXPECT_TRUE(!info.gray || info.source == ColourSource::kCounts) << info.name;
  }
}

TEST(ColormapTest, AnUnknownNameIsToldTheKnownOnes) {
  EXPECT_EQ(ColormapNames(),
            "pure-gray, false-gray, false-gray-8, power, viridis, magma, inferno, plasma, cividis, "
            "twilight, workers");
  try {
    FindColormap("rainbow");
    ADD_FAILURE() << "found";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::kUser);
    EXPECT_STREQ(error.what(),
                 "cannot use colormap 'rainbow': there is no such map; choose one of pure-gray, "
                 "false-gray, false-gray-8, power, viridis, magma, inferno, plasma, cividis, "
                 "twilight, workers");
  }
}

}  // namespace
}  // namespace procpool
