#include "master/preview_blocks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "master/srgb.h"

namespace procpool {
namespace {

constexpr std::string_view kHalfBlock = "▀";
constexpr std::array<std::string_view, 5> kShadeBlocks{" ", "░", "▒", "▓", "█"};
constexpr std::array<std::string_view, 10> kShadeLetters{" ", ".", ":", "-", "=",
                                                         "+", "*", "#", "%", "@"};

// xterm's 256 colours: 16 + 36 r + 6 g + b of these levels, then the grays 8, 18, ... from 232 on.
constexpr std::array kLevels{0, 95, 135, 175, 215, 255};
constexpr int kFirstGray = 232;
constexpr int kGrays = 24;

int Distance(Rgb a, Rgb b) {
  const int red = a.red - b.red;
  const int green = a.green - b.green;
  const int blue = a.blue - b.blue;
  return red * red + green * green + blue * blue;
}

std::size_t NearestLevel(int number) {
  return static_cast<std::size_t>(
      std::ranges::min_element(kLevels, {}, [=](int level) { return std::abs(level - number); }) -
      kLevels.begin());
}

// "38;2;R;G;B" or "38;5;N"; 48 for the background.
void AppendColour(std::string& text, int ground, Rgb colour, BlockColours colours) {
  text += "\x1b[" + std::to_string(ground);
  if (colours == BlockColours::k256) {
    text += ";5;" + std::to_string(NearestOf256(colour));
  } else {
    text += ";2;" + std::to_string(colour.red) + ';' + std::to_string(colour.green) + ';' +
            std::to_string(colour.blue);
  }
  text += 'm';
}

void AppendColouredLine(std::string& text, const RgbImage& image, std::uint32_t y,
                        BlockColours colours) {
  const bool two = y + 1 < image.size.height;  // the last line may have an upper half only
  std::optional<Rgb> foreground;
  std::optional<Rgb> background;
  for (std::uint32_t x = 0; x < image.size.width; ++x) {
    const Rgb upper = image.At(x, y);
    if (foreground != upper) AppendColour(text, 38, upper, colours);
    foreground = upper;
    if (two) {
      const Rgb lower = image.At(x, y + 1);
      if (background != lower) AppendColour(text, 48, lower, colours);
      background = lower;
    }
    text += kHalfBlock;
  }
  text += "\x1b[0m\n";
}

// Rec. 709's weights of the primaries that sRGB has.
double Luminance(Rgb colour) {
  return 0.2126 * LightOf(colour.red) + 0.7152 * LightOf(colour.green) +
         0.0722 * LightOf(colour.blue);
}

template <std::size_t count>
void AppendShadedLine(std::string& text, const RgbImage& image, std::uint32_t y,
                      const std::array<std::string_view, count>& shades) {
  const bool two = y + 1 < image.size.height;
  for (std::uint32_t x = 0; x < image.size.width; ++x) {
    double light = Luminance(image.At(x, y));
    if (two) light = (light + Luminance(image.At(x, y + 1))) / 2;
    text += shades[NumberOf(light) * count / 256];
  }
  text += '\n';
}

}  // namespace

std::uint8_t NearestOf256(Rgb colour) {
  const std::size_t red = NearestLevel(colour.red);
  const std::size_t green = NearestLevel(colour.green);
  const std::size_t blue = NearestLevel(colour.blue);
  const auto level = [](std::size_t i) { return static_cast<std::uint8_t>(kLevels[i]); };
  const Rgb of_cube{level(red), level(green), level(blue)};
  const int mean = (colour.red + colour.green + colour.blue) / 3;
  const int place = std::clamp((mean - 3) / 10, 0, kGrays - 1);
  const auto number = static_cast<std::uint8_t>(8 + 10 * place);
  if (Distance(colour, {number, number, number}) < Distance(colour, of_cube))
    return static_cast<std::uint8_t>(kFirstGray + place);
  return static_cast<std::uint8_t>(16 + 36 * red + 6 * green + blue);
}

std::string Blocks(const RgbImage& image, BlockColours colours) {
  std::string text;
  for (std::uint32_t y = 0; y < image.size.height; y += 2) {
    switch (colours) {
      case BlockColours::k24Bit:
      case BlockColours::k256:
        AppendColouredLine(text, image, y, colours);
        break;
      case BlockColours::kShades:
        AppendShadedLine(text, image, y, kShadeBlocks);
        break;
      case BlockColours::kShadesAscii:
        AppendShadedLine(text, image, y, kShadeLetters);
        break;
    }
  }
  return text;
}

}  // namespace procpool
