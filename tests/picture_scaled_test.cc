// Scaling by mean light, against a plain computation of each box and against numbers worked out by
// hand.
#include "master/picture_scaled.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "master/srgb.h"
#include "tests/rgb_images.h"

namespace procpool {
namespace {

const auto never = [] { return false; };

RgbImage ScaledDown(RgbImage image, PixelSize size) {
  return Scaled(ImagePicture(std::move(image)), size, never).value();
}

// How much of [a, a + 1) lies in [b, c).
double Share(double a, double b, double c) {
  return std::max(0.0, std::min(a + 1, c) - std::max(a, b));
}

// The mean light of a box, pixel by pixel, as one would explain it.
std::vector<double> BoxLight(const RgbImage& image, PixelSize size, std::uint32_t x,
                             std::uint32_t y) {
  const double width = static_cast<double>(image.size.width) / size.width;
  const double height = static_cast<double>(image.size.height) / size.height;
  std::vector<double> sums(3);
  for (std::uint32_t v = 0; v < image.size.height; ++v) {
    for (std::uint32_t u = 0; u < image.size.width; ++u) {
      const double share =
          Share(u, x * width, (x + 1) * width) * Share(v, y * height, (y + 1) * height);
      const Rgb colour = image.At(u, v);
      sums[0] += share * LightOf(colour.red);
      sums[1] += share * LightOf(colour.green);
      sums[2] += share * LightOf(colour.blue);
    }
  }
  for (double& sum : sums) sum /= width * height;
  return sums;
}

TEST(SrgbTest, ThereAndBack) {
  EXPECT_EQ(LightOf(0), 0.0);
  EXPECT_EQ(LightOf(255), 1.0);
  EXPECT_NEAR(LightOf(128), 0.21586, 1e-5);
  for (unsigned number = 0; number < 256; ++number) {
    const auto byte = static_cast<std::uint8_t>(number);
    EXPECT_EQ(NumberOf(LightOf(byte)), byte);
  }
  EXPECT_EQ(NumberOf(-1), 0);
  EXPECT_EQ(NumberOf(2), 255);
}

// Half of the light of white is 188, not 128.
TEST(ScaledTest, AveragesLightNotNumbers) {
  const RgbImage chequered = ImageOf({4, 4}, [](std::uint32_t x, std::uint32_t y) {
    return (x + y) % 2 == 0 ? Rgb{255, 255, 255} : Rgb{0, 0, 0};
  });
  const RgbImage small = ScaledDown(chequered, {2, 2});
  for (const std::uint8_t number : small.rgb) EXPECT_EQ(number, 188);
}

TEST(ScaledTest, FractionsOfPixels) {
  // Three pixels in two: the one in the middle is half in either.
  const RgbImage image = ImageOf({3, 1}, [](std::uint32_t x, std::uint32_t) {
    return x == 1 ? Rgb{255, 0, 0} : Rgb{0, 255, 0};
  });
  const RgbImage small = ScaledDown(image, {2, 1});
  const std::uint8_t third = NumberOf(1.0 / 3);
  const std::uint8_t rest = NumberOf(2.0 / 3);
  EXPECT_EQ(small.rgb, (std::vector<std::uint8_t>{third, rest, 0, third, rest, 0}));
}

TEST(ScaledTest, AsComputedBoxByBox) {
  for (const PixelSize from : {PixelSize{7, 5}, PixelSize{16, 9}, PixelSize{1, 13}}) {
    const RgbImage image = RandomImage(from, 7);
    for (std::uint32_t width = 1; width <= from.width; ++width) {
      for (std::uint32_t height = 1; height <= from.height; ++height) {
        const PixelSize size{width, height};
        const RgbImage small = ScaledDown(image, size);
        ASSERT_EQ(small.size, size);
        ASSERT_EQ(small.rgb.size(), std::size_t{width} * height * 3);
        for (std::uint32_t y = 0; y < height; ++y) {
          for (std::uint32_t x = 0; x < width; ++x) {
            const std::vector<double> light = BoxLight(image, size, x, y);
            const Rgb colour = small.At(x, y);
            EXPECT_NEAR(colour.red, NumberOf(light[0]), 1);
            EXPECT_NEAR(colour.green, NumberOf(light[1]), 1);
            EXPECT_NEAR(colour.blue, NumberOf(light[2]), 1);
          }
        }
      }
    }
  }
}

TEST(ScaledTest, SameSizeIsTheSamePicture) {
  const RgbImage image = RandomImage({31, 17}, 1);
  EXPECT_EQ(ScaledDown(image, image.size).rgb, image.rgb);
}

TEST(ScaledTest, OneColourStaysItself) {
  for (unsigned number = 0; number < 256; ++number) {
    const auto byte = static_cast<std::uint8_t>(number);
    const RgbImage image = ImageOf({13, 11}, [=](std::uint32_t, std::uint32_t) {
      return Rgb{byte, byte, byte};
    });
    for (const std::uint8_t pixel : ScaledDown(image, {5, 3}).rgb) ASSERT_EQ(pixel, byte);
  }
}

TEST(ScaledTest, ReadsEachLineOnceAndStopsWhenTold) {
  const ImagePicture picture(RandomImage({10, 100}, 2));
  ASSERT_TRUE(Scaled(picture, {3, 30}, never));
  EXPECT_EQ(picture.lines_read, 100U);
  EXPECT_FALSE(Scaled(picture, {3, 30}, [&] { return picture.lines_read == 140; }));
  EXPECT_EQ(picture.lines_read, 140U);
}

TEST(FitTest, KeepsTheShape) {
  EXPECT_EQ(FitInto({80, 200}, {1000, 1000}), (PixelSize{80, 80}));
  EXPECT_EQ(FitInto({80, 44}, {1000, 1000}), (PixelSize{44, 44}));
  EXPECT_EQ(FitInto({80, 44}, {1000, 500}), (PixelSize{80, 40}));
  EXPECT_EQ(FitInto({80, 44}, {300, 1000}), (PixelSize{13, 44}));
  EXPECT_EQ(FitInto({20, 6}, {4000, 4000}), (PixelSize{6, 6}));
}

TEST(FitTest, NeverLargerNeverEmpty) {
  EXPECT_EQ(FitInto({800, 600}, {30, 20}), (PixelSize{30, 20}));
  EXPECT_EQ(FitInto({80, 44}, {1, 1}), (PixelSize{1, 1}));
  EXPECT_EQ(FitInto({80, 44}, {100000, 1}), (PixelSize{80, 1}));
  EXPECT_EQ(FitInto({80, 44}, {1, 100000}), (PixelSize{1, 44}));
  const std::uint32_t most = 4294967295U;
  EXPECT_EQ(FitInto({80, 44}, {most, most}), (PixelSize{44, 44}));
  for (std::uint32_t width = 1; width < 90; ++width) {
    for (std::uint32_t height = 1; height < 90; ++height) {
      const PixelSize size = FitInto({20, 6}, {width, height});
      EXPECT_TRUE(size.width >= 1 && size.width <= std::min(20U, width)) << width << 'x' << height;
      EXPECT_TRUE(size.height >= 1 && size.height <= std::min(6U, height))
          << width << 'x' << height;
    }
  }
}

}  // namespace
}  // namespace procpool
