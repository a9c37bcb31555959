#include "master/picture_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <vector>

namespace procpool {
namespace {

using Counts = std::vector<std::int32_t>;

std::vector<Rgb> Colours(const Picture& picture, std::uint32_t line = 0) {
  std::vector<std::uint8_t> rgb(std::size_t{picture.width()} * 3);
  picture.Colours(line, rgb);
  std::vector<Rgb> colours;
  for (std::size_t i = 0; i < rgb.size(); i += 3)
    colours.push_back({rgb[i], rgb[i + 1], rgb[i + 2]});
  return colours;
}

std::vector<Rgb> ColoursOfPlaces(const Picture& picture, std::uint32_t line = 0) {
  std::vector<std::uint8_t> places(picture.width());
  picture.Places(line, places);
  std::vector<Rgb> colours;
  colours.reserve(places.size());
  for (const std::uint8_t place : places) colours.push_back(picture.palette()[place]);
  return colours;
}

CountPicture OneLine(const Counts& counts, std::string_view map) {
  return {{counts, static_cast<std::uint32_t>(counts.size()), 1, false}, FindColormap(map)};
}

Counts UpTo(std::int32_t last) {
  Counts counts(static_cast<std::size_t>(last) + 1);
  std::iota(counts.begin(), counts.end(), 0);
  return counts;
}

TEST(CountPictureTest, EachPointHasItsCountsColour) {
  const std::int32_t largest = std::numeric_limits<std::int32_t>::max();
  for (const ColormapInfo& info : Colormaps()) {
    if (info.source != ColourSource::kCounts) continue;
    // On both sides of where counts are looked up, and of where they are computed each time.
    for (const Counts& counts : {UpTo(300), UpTo(20), Counts{100, 150, 200}, Counts{0},
                                 Counts{5, 65534, 65535, 65536, largest - 1, largest}}) {
      const CountPicture picture = OneLine(counts, info.name);
      const CountRange range = RangeOf(counts);
      std::vector<Rgb> expected;
      for (const std::int32_t count : counts)
        expected.push_back(info.colour(info.level(count, range)));
      EXPECT_EQ(Colours(picture), expected) << info.name;
      if (!picture.palette().empty()) {
        EXPECT_EQ(ColoursOfPlaces(picture), expected) << info.name;
      }
    }
  }
}

TEST(CountPictureTest, APaletteHoldsAllLevelsOrThereIsNone) {
  for (const std::string_view map : {"pure-gray", "false-gray", "power"})
    EXPECT_EQ(OneLine(UpTo(5000), map).palette().size(), 256U) << map;
  EXPECT_EQ(OneLine(UpTo(255), "false-gray-8").palette().size(), 256U);
  EXPECT_TRUE(OneLine(UpTo(256), "false-gray-8").palette().empty());
  EXPECT_EQ(OneLine({7, 7}, "power").palette().size(), 1U);
}

TEST(CountPictureTest, PointsGivenUpTakeAPlaceOfThePalette) {
  for (const ColormapInfo& info : Colormaps()) {
    if (info.source != ColourSource::kCounts) continue;
    const Counts counts = {-1, 9};
    const CountPicture picture = OneLine(counts, info.name);
    EXPECT_EQ(Colours(picture).front(), kGivenUpColour) << info.name;
    EXPECT_EQ(ColoursOfPlaces(picture), Colours(picture)) << info.name;
    EXPECT_EQ(std::ranges::count(picture.palette(), kGivenUpColour), 1) << info.name;
  }
  Counts counts = UpTo(254);
  counts.push_back(-1);
  EXPECT_EQ(OneLine(counts, "false-gray-8").palette().size(), 256U);
  counts.push_back(255);
  EXPECT_TRUE(OneLine(counts, "false-gray-8").palette().empty());
  EXPECT_EQ(Colours(OneLine(counts, "false-gray-8"))[255], kGivenUpColour);
}

TEST(CountPictureTest, LinesAreThoseOfThePicture) {
  const Counts counts = {0, 255};
  for (const bool lower : {false, true}) {
    const CountPicture picture({counts, 1, 2, lower}, FindColormap("pure-gray"));
    EXPECT_EQ(Colours(picture, lower ? 1 : 0).front(), (Rgb{0, 0, 0}));
    EXPECT_EQ(ColoursOfPlaces(picture, lower ? 0 : 1).front(), (Rgb{255, 255, 255}));
  }
}

}  // namespace
}  // namespace procpool
