#include "master/png_pixels.h"

#include <algorithm>

namespace procpool {

PngPixels::PngPixels(const Picture& picture) : picture_(picture) {
  const std::span<const Rgb> palette = picture.palette();
  if (palette.empty()) return;
  const bool gray = std::ranges::all_of(palette, [](const Rgb& colour) {
    return colour.red == colour.green && colour.green == colour.blue;
  });
  kind_ = gray ? Kind::kGray : Kind::kPalette;
  for (std::size_t place = 0; gray && place < palette.size(); ++place) {
    grays_[place] = palette[place].red;
    places_are_grays_ = places_are_grays_ && grays_[place] == place;
  }
}

void PngPixels::Line(std::uint32_t line, std::span<std::uint8_t> pixels) const {
  if (kind_ == Kind::kRgb) return picture_.Colours(line, pixels);
  picture_.Places(line, pixels);
  if (kind_ == Kind::kPalette || places_are_grays_) return;
  for (std::uint8_t& pixel : pixels) pixel = grays_[pixel];
}

}  // namespace procpool
