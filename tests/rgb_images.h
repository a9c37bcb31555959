// Small pictures for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "master/picture.h"
#include "master/picture_scaled.h"

namespace procpool {

/// Each pixel by a function of its place.
inline RgbImage ImageOf(PixelSize size,
                        const std::function<Rgb(std::uint32_t, std::uint32_t)>& at) {
  RgbImage image{size, {}};
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      const Rgb colour = at(x, y);
      image.rgb.insert(image.rgb.end(), {colour.red, colour.green, colour.blue});
    }
  }
  return image;
}

inline RgbImage RandomImage(PixelSize size, unsigned seed) {
  std::mt19937 random(seed);
  const auto number = [&] { return static_cast<std::uint8_t>(random() % 256); };
  return ImageOf(size, [&](std::uint32_t, std::uint32_t) {
    return Rgb{number(), number(), number()};
  });
}

/// An image as a Picture without a palette. Counts how often a line was asked for.
class ImagePicture : public Picture {
 public:
  explicit ImagePicture(RgbImage image)
      : Picture(image.size.width, image.size.height), image_(std::move(image)) {}
  std::span<const Rgb> palette() const override { return {}; }
  void Places(std::uint32_t, std::span<std::uint8_t>) const override {}
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override {
    ++lines_read;
    const std::uint8_t* begin = image_.rgb.data() + std::size_t{line} * rgb.size();
    std::copy(begin, begin + rgb.size(), rgb.begin());
  }

  mutable unsigned lines_read = 0;

 private:
  RgbImage image_;
};

}  // namespace procpool
