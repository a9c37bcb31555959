#include "master/picture_scaled.h"

#include <algorithm>
#include <array>

#include "master/srgb.h"

namespace procpool {
namespace {

std::uint32_t Rounded(std::uint64_t product, std::uint64_t divisor) {
  return static_cast<std::uint32_t>((product + divisor / 2) / divisor);
}

// One line of the picture as sums of light, a box for each pixel of the result. Lengths are counted
// in parts: a pixel of the picture is `boxes` parts long, a box `pixels` parts, so that both are
// whole.
class LineSums {
 public:
  LineSums(std::uint32_t pixels, std::uint32_t boxes)
      : pixels_(pixels), boxes_(boxes), sums_(std::size_t{boxes} * 3) {
    for (std::size_t i = 0; i < light_.size(); ++i)
      light_[i] = LightOf(static_cast<std::uint8_t>(i));
  }

  const std::vector<double>& Of(const std::vector<std::uint8_t>& rgb) {
    std::ranges::fill(sums_, 0.0);
    double* box = sums_.data();
    std::uint64_t room = pixels_;  // parts of the box that are not filled yet
    for (const std::uint8_t *pixel = rgb.data(), *end = pixel + rgb.size(); pixel != end;
         pixel += 3) {
      std::uint64_t left = boxes_;  // parts of the pixel that no box has yet: there are at most two
      if (left >= room) {
        Add(box, pixel, room);
        left -= room;
        room = pixels_;
        box += 3;
      }
      if (left > 0) {
        Add(box, pixel, left);
        room -= left;
      }
    }
    return sums_;
  }

 private:
  void Add(double* box, const std::uint8_t* pixel, std::uint64_t parts) const {
    const auto weight = static_cast<double>(parts);
    for (std::size_t i = 0; i < 3; ++i) box[i] += weight * light_[pixel[i]];
  }

  std::uint64_t pixels_;
  std::uint64_t boxes_;
  std::array<double, 256> light_{};
  std::vector<double> sums_;
};

}  // namespace

PixelSize FitInto(PixelSize room, PixelSize picture) {
  PixelSize size{std::min(room.width, picture.width), 0};
  size.height = Rounded(std::uint64_t{picture.height} * size.width, picture.width);
  const std::uint32_t most = std::min(room.height, picture.height);
  if (size.height > most) {
    size.height = most;
    size.width =
        std::min(size.width, Rounded(std::uint64_t{picture.width} * size.height, picture.height));
  }
  return {std::max(size.width, 1U), std::max(size.height, 1U)};
}

std::optional<RgbImage> Scaled(const Picture& picture, PixelSize size,
                               const std::function<bool()>& stop) {
  RgbImage image{size, {}};
  image.rgb.reserve(std::size_t{size.width} * size.height * 3);
  std::vector<std::uint8_t> line(std::size_t{picture.width()} * 3);
  LineSums line_sums(picture.width(), size.width);
  std::vector<double> sums(std::size_t{size.width} * 3);
  const auto add = [&sums](const std::vector<double>& light, std::uint64_t parts) {
    const auto weight = static_cast<double>(parts);
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * light[i];
  };
  const double area = static_cast<double>(picture.width()) * picture.height();
  std::uint64_t room = picture.height();  // as in LineSums, downwards
  for (std::uint32_t y = 0; y < picture.height(); ++y) {
    if (stop()) return std::nullopt;
    picture.Colours(y, line);
    const std::vector<double>& light = line_sums.Of(line);
    std::uint64_t left = size.height;
    if (left >= room) {
      add(light, room);
      left -= room;
      for (const double sum : sums) image.rgb.push_back(NumberOf(sum / area));
      std::ranges::fill(sums, 0.0);
      room = picture.height();
    }
    if (left > 0) {
      add(light, left);
      room -= left;
    }
  }
  return image;
}

}  // namespace procpool
