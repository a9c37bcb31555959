// Sixels: bytes of a small picture, and what a decoder makes of larger ones; the colours that they
// have.
#include "master/preview_sixel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "master/quantised.h"
#include "tests/rgb_images.h"
#include "tests/sixel_decoder.h"

namespace procpool {
namespace {

std::vector<Percents> PixelsOf(const Quantised& quantised) {
  std::vector<Percents> pixels;
  for (const std::uint8_t place : quantised.places) pixels.push_back(quantised.palette.at(place));
  return pixels;
}

std::vector<Percents> PercentsOfAll(const RgbImage& image) {
  std::vector<Percents> pixels;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    pixels.push_back(PercentsOf({image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]}));
  return pixels;
}

// Colours in every direction, more than there is room for.
RgbImage Gradient(PixelSize size) {
  return ImageOf(size, [=](std::uint32_t x, std::uint32_t y) {
    return Rgb{static_cast<std::uint8_t>(x * 255 / size.width),
               static_cast<std::uint8_t>(y * 255 / size.height),
               static_cast<std::uint8_t>((x + y) * 255 / (size.width + size.height))};
  });
}

TEST(SixelTest, Golden) {
  // Seven lines, so two bands; the first line is red, then white, but for a column of red.
  const RgbImage image = ImageOf({5, 7}, [](std::uint32_t x, std::uint32_t y) {
    return y == 0 || x == 4 ? Rgb{255, 0, 0} : Rgb{255, 255, 255};
  });
  EXPECT_EQ(Sixel(image, 256),
            "\x1bP0;1;0q\"1;1;5;7#0;2;100;0;0#1;2;100;100;100"
            "#0!4@~$#1!4}-#0!4?@$#1!4@\x1b\\\n");
}

TEST(SixelTest, DecodedItIsTheQuantisedPicture) {
  for (const PixelSize size :
       {PixelSize{1, 1}, PixelSize{3, 6}, PixelSize{50, 7}, PixelSize{97, 61}}) {
    for (const RgbImage& image : {RandomImage(size, 3), Gradient(size)}) {
      for (const std::size_t colours : {2, 16, 256}) {
        const DecodedSixel decoded = SixelDecoder(Sixel(image, colours)).Decode();
        EXPECT_EQ(decoded.size, size);
        EXPECT_LE(decoded.palette.size(), colours);
        EXPECT_EQ(decoded.pixels, PixelsOf(Quantise(image, colours)));
      }
    }
  }
}

TEST(SixelTest, FewColoursAreKeptAsTheyAre) {
  const RgbImage image = ImageOf({64, 40}, [](std::uint32_t x, std::uint32_t y) {
    return Rgb{static_cast<std::uint8_t>(x / 4 * 17), static_cast<std::uint8_t>(y / 4 * 28), 0};
  });
  EXPECT_EQ(SixelDecoder(Sixel(image, 256)).Decode().pixels, PercentsOfAll(image));
}

TEST(QuantiseTest, PercentsAreTheNearest) {
  for (unsigned number = 0; number < 256; ++number) {
    const auto byte = static_cast<std::uint8_t>(number);
    const Percents percents = PercentsOf({byte, 0, 255});
    EXPECT_NEAR(percents[0], number * 100.0 / 255, 0.5);
    EXPECT_EQ(percents[1], 0);
    EXPECT_EQ(percents[2], 100);
  }
}

TEST(QuantiseTest, AllColoursAllowedAreUsed) {
  for (const std::size_t most : {2, 3, 16, 255, 256}) {
    const Quantised quantised = Quantise(Gradient({120, 90}), most);
    EXPECT_EQ(quantised.palette.size(), most);
    const std::set<std::uint8_t> used(quantised.places.begin(), quantised.places.end());
    EXPECT_EQ(used.size(), most);
  }
}

// 256 boxes of a cube filled evenly are about 16 percent wide: no colour is further off than that.
TEST(QuantiseTest, ManyColoursStayNear) {
  for (const RgbImage& image : {Gradient({200, 200}), RandomImage({200, 200}, 6)}) {
    const std::vector<Percents> wanted = PercentsOfAll(image);
    const std::vector<Percents> got = PixelsOf(Quantise(image, 256));
    double sum = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const int difference = std::abs(wanted[i][j] - got[i][j]);
        EXPECT_LE(difference, 20);
        sum += difference;
      }
    }
    EXPECT_LT(sum / static_cast<double>(wanted.size()) / 3, 6);
  }
}

// A colour that many pixels have is kept apart from those that few have.
TEST(QuantiseTest, ColoursOfManyPixelsComeFirst) {
  const RgbImage image = ImageOf({100, 100}, [](std::uint32_t x, std::uint32_t y) {
    if (y < 90) return x < 50 ? Rgb{0, 0, 0} : Rgb{255, 255, 255};
    const auto gray = static_cast<std::uint8_t>(100 + x / 2);
    return Rgb{gray, gray, gray};
  });
  const Quantised quantised = Quantise(image, 4);
  EXPECT_NE(std::ranges::find(quantised.palette, Percents{0, 0, 0}), quantised.palette.end());
  EXPECT_NE(std::ranges::find(quantised.palette, Percents{100, 100, 100}), quantised.palette.end());
}

// Shades of gray that nearly all pixels have get most of the palette, however many other colours a
// few pixels have.
TEST(QuantiseTest, PixelsCountNotColours) {
  const RgbImage image = ImageOf({100, 100}, [](std::uint32_t x, std::uint32_t y) {
    const auto number = static_cast<std::uint8_t>(y == 0 ? x : 100 + x / 5 * 3);
    return y == 0 ? Rgb{static_cast<std::uint8_t>(200 + x / 2), number, 0}
                  : Rgb{number, number, number};
  });
  const Quantised quantised = Quantise(image, 24);
  EXPECT_GE(std::ranges::count_if(quantised.palette,
                                  [](const Percents& colour) {
                                    return colour[0] == colour[1] && colour[1] == colour[2];
                                  }),
            18);
}

}  // namespace
}  // namespace procpool
