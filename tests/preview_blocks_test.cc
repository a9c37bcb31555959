// Half blocks and shades, byte by byte.
#include "master/preview_blocks.h"

#include <gtest/gtest.h>

#include "tests/rgb_images.h"

namespace procpool {
namespace {

constexpr Rgb kRed{255, 0, 0};
constexpr Rgb kGreen{0, 255, 0};
constexpr Rgb kBlack{0, 0, 0};

RgbImage Image(PixelSize size, const std::vector<Rgb>& pixels) {
  return ImageOf(size,
                 [&](std::uint32_t x, std::uint32_t y) { return pixels[y * size.width + x]; });
}

TEST(BlocksTest, UpperPixelIsForegroundLowerIsBackground) {
  EXPECT_EQ(Blocks(Image({1, 2}, {kRed, kGreen}), BlockColours::k24Bit),
            "\x1b[38;2;255;0;0m\x1b[48;2;0;255;0m▀\x1b[0m\n");
}

TEST(BlocksTest, AColourIsSetOnceInALine) {
  EXPECT_EQ(Blocks(Image({3, 2}, {kRed, kRed, kGreen, kBlack, kRed, kRed}), BlockColours::k24Bit),
            "\x1b[38;2;255;0;0m\x1b[48;2;0;0;0m▀\x1b[48;2;255;0;0m▀\x1b[38;2;0;255;0m▀\x1b[0m\n");
}

TEST(BlocksTest, EachLineStandsAlone) {
  const std::string line = "\x1b[38;2;255;0;0m\x1b[48;2;255;0;0m▀\x1b[0m\n";
  EXPECT_EQ(Blocks(Image({1, 4}, {kRed, kRed, kRed, kRed}), BlockColours::k24Bit), line + line);
}

TEST(BlocksTest, AnOddLineHasNoLowerHalf) {
  EXPECT_EQ(Blocks(Image({2, 1}, {kRed, kGreen}), BlockColours::k24Bit),
            "\x1b[38;2;255;0;0m▀\x1b[38;2;0;255;0m▀\x1b[0m\n");
}

TEST(BlocksTest, Of256Colours) {
  EXPECT_EQ(Blocks(Image({1, 2}, {kRed, {8, 8, 8}}), BlockColours::k256),
            "\x1b[38;5;196m\x1b[48;5;232m▀\x1b[0m\n");
}

TEST(NearestOf256Test, CubeAndGrays) {
  EXPECT_EQ(NearestOf256(kBlack), 16);
  EXPECT_EQ(NearestOf256({255, 255, 255}), 231);
  EXPECT_EQ(NearestOf256({95, 135, 175}), 67);
  EXPECT_EQ(NearestOf256({128, 128, 128}), 244);
  EXPECT_EQ(NearestOf256({238, 238, 238}), 255);
  // Against all of them.
  const auto colour_of = [](int number) {
    constexpr std::array kLevels{0, 95, 135, 175, 215, 255};
    const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
    if (number >= 232) {
      const std::uint8_t gray = byte(8 + 10 * (number - 232));
      return Rgb{gray, gray, gray};
    }
    const auto index = static_cast<std::size_t>(number - 16);
    return Rgb{byte(kLevels[index / 36]), byte(kLevels[index / 6 % 6]), byte(kLevels[index % 6])};
  };
  const auto distance = [](Rgb a, Rgb b) {
    const int red = a.red - b.red;
    const int green = a.green - b.green;
    const int blue = a.blue - b.blue;
    return red * red + green * green + blue * blue;
  };
  for (int number = 16; number < 256; ++number) {
    EXPECT_EQ(distance(colour_of(NearestOf256(colour_of(number))), colour_of(number)), 0);
  }
  const RgbImage random = RandomImage({100, 100}, 4);
  for (std::uint32_t y = 0; y < 100; ++y) {
    for (std::uint32_t x = 0; x < 100; ++x) {
      const Rgb colour = random.At(x, y);
      int least = distance(colour, colour_of(16));
      for (int number = 17; number < 256; ++number)
        least = std::min(least, distance(colour, colour_of(number)));
      EXPECT_EQ(distance(colour, colour_of(NearestOf256(colour))), least);
    }
  }
}

TEST(ShadesTest, FromBlackToWhite) {
  const RgbImage ramp = ImageOf({10, 2}, [](std::uint32_t x, std::uint32_t) {
    const auto gray = static_cast<std::uint8_t>(x * 255 / 9);
    return Rgb{gray, gray, gray};
  });
  EXPECT_EQ(Blocks(ramp, BlockColours::kShadesAscii), " .:-=+*#%@\n");
  EXPECT_EQ(Blocks(ramp, BlockColours::kShades), "  ░░▒▒▓▓██\n");
}

TEST(ShadesTest, BothPixelsOfACellCount) {
  constexpr Rgb kWhite{255, 255, 255};
  // Half of white's light is number 188 of 255: the eighth of ten.
  EXPECT_EQ(Blocks(Image({2, 3}, {kWhite, kBlack, kBlack, kBlack, kBlack, kWhite}),
                   BlockColours::kShadesAscii),
            "# \n @\n");
  // Green is the brightest of the three, blue the darkest.
  EXPECT_EQ(Blocks(Image({3, 1}, {{0, 0, 255}, kRed, kGreen}), BlockColours::kShadesAscii),
            ":=%\n");
}

}  // namespace
}  // namespace procpool
