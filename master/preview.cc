#include "master/preview.h"

#include <langinfo.h>
#include <locale.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "master/preview_kitty.h"
#include "master/preview_sixel.h"

namespace procpool {
namespace {

constexpr std::uint32_t kColumns = 80;
constexpr std::uint32_t kRows = 24;
// Of a picture in a pipe or a file, which can be scrolled through: a picture far higher than it is
// wide shall not fill pages.
constexpr std::uint32_t kMostPixelsInFile = 200;
constexpr PixelSize kUnknownPixels{800, 600};

std::string_view TextOf(const char* variable) {
  return variable == nullptr ? std::string_view() : variable;
}

// Whether the user's locale has UTF-8. The program's own locale stays as it is: it decides how
// numbers are written.
bool LocaleIsUtf8() {
  const locale_t locale = ::newlocale(LC_CTYPE_MASK, "", nullptr);
  if (locale == nullptr) return false;
  const bool utf8 = std::string_view(::nl_langinfo_l(CODESET, locale)) == "UTF-8";
  ::freelocale(locale);
  return utf8;
}

preview::Environment TheEnvironment() {
  return {std::getenv("NO_COLOR"), std::getenv("TERM"), std::getenv("COLORTERM"), LocaleIsUtf8()};
}

bool HasColours(BlockColours colours) {
  return colours == BlockColours::k24Bit || colours == BlockColours::k256;
}

// How the picture is shown, once that is decided.
struct Way {
  PreviewMode mode = PreviewMode::kBlocks;  // never kAuto
  BlockColours colours = BlockColours::k24Bit;
  std::size_t sixel_colours = kMostSixelColours;
  PixelSize room;
};

Way Choose(PreviewStream& stream, PreviewMode mode) {
  Way way{.mode = mode, .colours = preview::ColoursFor(TheEnvironment())};
  std::optional<TerminalSize> size = stream.Size();
  if (mode == PreviewMode::kAuto) {
    way.mode = PreviewMode::kBlocks;
    std::optional<TerminalAnswer> answer;
    if (size && HasColours(way.colours)) answer = stream.Ask(kAnswerDeadline);
    if (answer) {
      if (answer->kitty) {
        way.mode = PreviewMode::kKitty;
      } else if (answer->sixel) {
        way.mode = PreviewMode::kSixel;
      }
      if (answer->sixel_colours > 1)
        way.sixel_colours = std::min<std::size_t>(answer->sixel_colours, kMostSixelColours);
      if (size->pixels.width == 0 || size->pixels.height == 0) size->pixels = answer->pixels;
    }
  }
  way.room = way.mode == PreviewMode::kBlocks ? preview::RoomForBlocks(size)
                                              : preview::RoomForPixels(size);
  return way;
}

struct Encoded {
  std::string text;
  std::string_view ending;  // where the text is cut short
  std::string_view name;
};

Encoded Encode(const RgbImage& image, const Way& way) {
  switch (way.mode) {
    case PreviewMode::kKitty:
      return {Kitty(image), kKittyCut, "kitty's graphics protocol"};
    case PreviewMode::kSixel:
      return {Sixel(image, way.sixel_colours), kSixelCut, "sixel"};
    case PreviewMode::kAuto:
    case PreviewMode::kBlocks:
      break;
  }
  return {Blocks(image, way.colours), kBlocksCut,
          HasColours(way.colours) ? "half blocks" : "shades"};
}

}  // namespace

std::string ShowPreview(const Picture& picture, PreviewMode mode, int fd) {
  PreviewStream stream(fd);
  const Way way = Choose(stream, mode);
  const PixelSize size = FitInto(way.room, {picture.width(), picture.height()});
  const auto image = Scaled(picture, size, [&] { return stream.Interrupted(); });
  if (!image) return "";
  const Encoded encoded = Encode(*image, way);
  if (!stream.Write(encoded.text)) {
    stream.WriteEnding(encoded.ending);
    return "";
  }
  return std::string(encoded.name) + ", " + std::to_string(size.width) + " x " +
         std::to_string(size.height) + " pixels";
}

namespace preview {

BlockColours ColoursFor(const Environment& environment) {
  const std::string_view term = TextOf(environment.term);
  // https://no-color.org: any non-empty NO_COLOR means no colour.
  if (!TextOf(environment.no_color).empty() || term == "dumb")
    return environment.utf8 ? BlockColours::kShades : BlockColours::kShadesAscii;
  // A terminal that has 256 colours only may take 24 bits for something else entirely (blinking,
  // say), while one that has them shows 256 as well. So this is on the safe side where nothing is
  // known, over ssh for instance, which does not pass COLORTERM on.
  const std::string_view colorterm = TextOf(environment.colorterm);
  const bool all = colorterm == "truecolor" || colorterm == "24bit";
  if (!all && term.find("256color") != term.npos) return BlockColours::k256;
  return BlockColours::k24Bit;
}

PixelSize RoomForBlocks(const std::optional<TerminalSize>& size) {
  if (!size) return {kColumns, kMostPixelsInFile};
  const std::uint32_t columns = size->columns > 0 ? size->columns : kColumns;
  const std::uint32_t rows = size->rows > 0 ? size->rows : kRows;
  // Two lines stay for the command above and what follows below.
  return {columns, 2 * (rows > 3 ? rows - 2 : 1)};
}

PixelSize RoomForPixels(const std::optional<TerminalSize>& size) {
  if (!size || size->pixels.width == 0 || size->pixels.height == 0) return kUnknownPixels;
  return {size->pixels.width, std::max(1U, size->pixels.height / 5 * 4)};
}

}  // namespace preview
}  // namespace procpool
