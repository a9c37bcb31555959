// Pictures in smooth colours: their palette, and which point has which of its colours.
#include "master/picture_smooth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "common/workload.h"

namespace procpool {
namespace {

constexpr Rgb kBlack{0, 0, 0};

class SmoothPictureTest : public ::testing::Test {
 protected:
  Fractal Sized(std::string_view workload, std::uint32_t width, std::uint32_t height) {
    WorkloadOverrides overrides;
    overrides.width = width;
    overrides.height = height;
    const Fractal fractal = LoadWorkload(workload, overrides).fractal;
    counts_.assign(std::size_t{width} * height, 0);
    return fractal;
  }
  GridView Grid(const Fractal& fractal, bool origin_lower = false) const {
    return {counts_, fractal.Width(), fractal.Height(), origin_lower};
  }
  static std::vector<std::uint8_t> PlacesOf(const Picture& picture, std::uint32_t line) {
    std::vector<std::uint8_t> places(picture.width());
    picture.Places(line, places);
    return places;
  }

  std::vector<std::int32_t> counts_;
};

TEST_F(SmoothPictureTest, UsesAllOfTheRampAndAsMuchOfEachColour) {
  const Fractal fractal = Sized("mandelbrot-workshop-zoom", 300, 300);
  const SmoothPicture picture(Grid(fractal), fractal, kViridis);
  ASSERT_EQ(picture.palette().size(), 256U);
  EXPECT_EQ(picture.palette()[0], kViridis.At(0));
  EXPECT_EQ(picture.palette()[253], kViridis.At(1));
  EXPECT_EQ(picture.palette()[254], kBlack);
  EXPECT_EQ(picture.palette()[255], kGivenUpColour);
  std::array<int, 256> points{};
  for (std::uint32_t line = 0; line < picture.height(); ++line)
    for (const std::uint8_t place : PlacesOf(picture, line)) ++points[place];  // NOLINT
  for (std::size_t part = 0; part < 4; ++part) {
    int sum = 0;
    for (std::size_t place = part * 64; place < std::min<std::size_t>(part * 64 + 64, 254); ++place)
      sum += points[place];  // NOLINT
    EXPECT_GT(sum, 300 * 300 / 20) << "quarter " << part;
  }
  EXPECT_GT(points[254], 0);
  EXPECT_EQ(points[255], 0);
}

TEST_F(SmoothPictureTest, ColoursFollowTheValues) {
  const Fractal fractal = Sized("julia-book", 200, 100);
  const SmoothPicture picture(Grid(fractal), fractal, kMagma);
  const SmoothValues smooth(fractal);
  std::vector<std::pair<float, int>> points;
  for (std::uint32_t row = 0; row < 100; ++row) {
    std::vector<float> values(200);
    smooth.Compute(row, {}, values);
    const auto places = PlacesOf(picture, row);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(values[i] == SmoothValues::kInside, places[i] == 254);
      if (places[i] != 254) points.emplace_back(values[i], places[i]);
    }
  }
  std::ranges::sort(points);
  EXPECT_TRUE(std::ranges::is_sorted(points, {}, &std::pair<float, int>::second));
}

TEST_F(SmoothPictureTest, ColoursAreThoseOfThePlaces) {
  const Fractal fractal = Sized("julia-book", 120, 80);
  const SmoothPicture picture(Grid(fractal), fractal, kTwilight);
  const auto places = PlacesOf(picture, 30);
  std::vector<std::uint8_t> rgb(360);
  picture.Colours(30, rgb);
  for (std::size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ((Rgb{rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]}), picture.palette()[places[i]]);
  }
}

TEST_F(SmoothPictureTest, ACyclicRampIsGoneThroughTwice) {
  const Fractal fractal = Sized("julia-book", 50, 50);
  const SmoothPicture picture(Grid(fractal), fractal, kTwilight);
  const auto darkness = [&](std::size_t place) {
    const Rgb& colour = picture.palette()[place];
    return -(colour.red + colour.green + colour.blue);
  };
  EXPECT_EQ(picture.palette()[0], kTwilight.At(0));
  EXPECT_EQ(picture.palette()[253], kTwilight.At(1));
  for (const std::size_t dark : {63U, 190U}) EXPECT_GT(darkness(dark), -200);
  for (const std::size_t light : {0U, 126U, 253U}) EXPECT_LT(darkness(light), -600);
}

TEST_F(SmoothPictureTest, PointsGivenUpAreMagentaWhereverTheyLie) {
  const Fractal fractal = Sized("julia-book", 60, 60);
  std::ranges::fill(std::span(counts_).subspan(std::size_t{60} * 29, 60), -1);
  const SmoothPicture picture(Grid(fractal), fractal, kPlasma);
  EXPECT_EQ(PlacesOf(picture, 29), std::vector<std::uint8_t>(60, 255));
  EXPECT_FALSE(std::ranges::count(PlacesOf(picture, 30), 255));
}

TEST_F(SmoothPictureTest, TheOriginMayBeBelow) {
  const Fractal fractal = Sized("mandelbrot-workshop-zoom", 40, 30);
  const SmoothPicture upper(Grid(fractal), fractal, kCividis);
  const SmoothPicture lower(Grid(fractal, true), fractal, kCividis);
  for (std::uint32_t line = 0; line < 30; ++line)
    EXPECT_EQ(PlacesOf(upper, line), PlacesOf(lower, 29 - line));
  EXPECT_NE(PlacesOf(upper, 0), PlacesOf(lower, 0));
}

TEST_F(SmoothPictureTest, SmallAndEmptyOnesArePictures) {
  for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 40U}, {700'000U, 1U}}) {
    const Fractal fractal = Sized("julia-book", width, height);
    const SmoothPicture picture(Grid(fractal), fractal, kInferno);
    EXPECT_EQ(PlacesOf(picture, height - 1).size(), width);
  }
  // All inside.
  Fractal fractal = Sized("mandelbrot-workshop", 20, 20);
  fractal.real.start = fractal.imaginary.start = 0;
  fractal.real.step = fractal.imaginary.step = 1e-3;
  const SmoothPicture picture(Grid(fractal), fractal, kInferno);
  EXPECT_EQ(PlacesOf(picture, 0), std::vector<std::uint8_t>(20, 254));
}

}  // namespace
}  // namespace procpool
