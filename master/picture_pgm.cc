#include "master/picture_pgm.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "master/attendant.h"

namespace procpool {
namespace {

/// Width in pixels of the stripes that stand for points given up.
constexpr std::size_t kGivenUpStripe = 4;

std::uint8_t GrayOf(const Rgb& colour, std::size_t column) {
  if (colour.red == colour.green && colour.green == colour.blue) return colour.red;
  if (colour == kGivenUpColour) return column / kGivenUpStripe % 2 == 0 ? 0 : 255;
  throw std::invalid_argument("WritePgm: the picture is in colours");
}

}  // namespace

PictureTimes WritePgm(OutputFile& file, const Picture& picture) {
  const std::string header =
      "P5\n" + std::to_string(picture.width()) + " " + std::to_string(picture.height()) + "\n255\n";
  file.Write(std::as_bytes(std::span(header)));
  std::vector<std::uint8_t> rgb(std::size_t{picture.width()} * 3);
  std::vector<std::uint8_t> grays(picture.width());
  PictureTimes times;
  for (std::uint32_t line = 0; line < picture.height() && !InterruptRequested(); ++line) {
    const Nanoseconds begun = Now();
    picture.Colours(line, rgb);
    for (std::size_t i = 0; i < grays.size(); ++i)
      grays[i] = GrayOf({rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]}, i);
    times.colouring += Now() - begun;
    file.Write(std::as_bytes(std::span(grays)));
  }
  return times;
}

}  // namespace procpool
