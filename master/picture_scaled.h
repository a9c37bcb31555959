// A picture made small enough to be looked at in a terminal: each pixel is the mean light of the
// box of the picture that it covers, boxes with fractions of pixels included.
//
// Promise: the picture is read line by line and once, so however large it is, the memory needed is
// that of one of its lines and of the result.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "master/picture.h"

namespace procpool {

struct PixelSize {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  bool operator==(const PixelSize&) const = default;
};

/// A small picture in memory: three bytes a pixel, lines from the top without gaps.
struct RgbImage {
  PixelSize size;
  std::vector<std::uint8_t> rgb;

  Rgb At(std::uint32_t x, std::uint32_t y) const {
    const std::uint8_t* pixel = rgb.data() + (std::size_t{y} * size.width + x) * 3;
    return {pixel[0], pixel[1], pixel[2]};
  }
};

/// The largest size of the picture's shape that the room holds; never larger than the picture, and
/// never less than one pixel either way, whatever the shape. No number given may be 0.
PixelSize FitInto(PixelSize room, PixelSize picture);

/// `size` is not larger than the picture either way, and not empty. Nothing once `stop`, which is
/// asked before each line, says so.
std::optional<RgbImage> Scaled(const Picture& picture, PixelSize size,
                               const std::function<bool()>& stop);

}  // namespace procpool
