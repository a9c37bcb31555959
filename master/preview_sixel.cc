#include "master/preview_sixel.h"

#include <algorithm>
#include <vector>

#include "master/quantised.h"

namespace procpool {
namespace {

constexpr std::uint32_t kBandHeight = 6;

// Pixels of one colour in one band: a column of six each, the uppermost in the lowest bit.
class Strip {
 public:
  void Begin(std::size_t width) { columns_.assign(width, 0); }
  void Set(std::uint32_t x, std::uint32_t line) {
    columns_[x] = static_cast<std::uint8_t>(columns_[x] | 1U << line);
  }

  // Columns that are alike are written once and counted; blank ones at the end not at all.
  void AppendTo(std::string& text) const {
    std::size_t end = columns_.size();
    while (end > 0 && columns_[end - 1] == 0) --end;
    for (std::size_t x = 0; x < end;) {
      std::size_t next = x + 1;
      while (next < end && columns_[next] == columns_[x]) ++next;
      const auto sixel = static_cast<char>('?' + columns_[x]);
      const std::size_t count = next - x;
      if (count > 3) {
        text += '!';
        text += std::to_string(count);
        text += sixel;
      } else {
        text.append(count, sixel);
      }
      x = next;
    }
  }

 private:
  std::vector<std::uint8_t> columns_;
};

void AppendBand(std::string& text, const Quantised& picture, PixelSize size, std::uint32_t top,
                std::vector<Strip>& strips) {
  std::vector<bool> used(strips.size());
  const std::uint32_t lines = std::min(kBandHeight, size.height - top);
  for (std::uint32_t line = 0; line < lines; ++line) {
    const std::uint8_t* places = picture.places.data() + std::size_t{top + line} * size.width;
    for (std::uint32_t x = 0; x < size.width; ++x) {
      const std::size_t place = places[x];
      if (!used[place]) strips[place].Begin(size.width);
      used[place] = true;
      strips[place].Set(x, line);
    }
  }
  bool first = true;
  for (std::size_t place = 0; place < strips.size(); ++place) {
    if (!used[place]) continue;
    if (!first) text += '$';  // back to the left, in the same band
    first = false;
    text += '#' + std::to_string(place);
    strips[place].AppendTo(text);
  }
}

}  // namespace

std::string Sixel(const RgbImage& image, std::size_t colours) {
  const Quantised picture = Quantise(image, colours);
  // P2 = 1: what is not drawn stays as it is, so that below the last line of pixels nothing is
  // painted over. The raster attributes: square pixels, and the size.
  std::string text = "\x1bP0;1;0q\"1;1;" + std::to_string(image.size.width) + ';' +
                     std::to_string(image.size.height);
  for (std::size_t place = 0; place < picture.palette.size(); ++place) {
    const Percents& colour = picture.palette[place];
    text += '#' + std::to_string(place) + ";2;" + std::to_string(colour[0]) + ';' +
            std::to_string(colour[1]) + ';' + std::to_string(colour[2]);
  }
  std::vector<Strip> strips(picture.palette.size());
  for (std::uint32_t top = 0; top < image.size.height; top += kBandHeight) {
    if (top > 0) text += '-';  // the next band
    AppendBand(text, picture, image.size, top, strips);
  }
  // The cursor is on the line of the last band.
  text += "\x1b\\\n";
  return text;
}

}  // namespace procpool
