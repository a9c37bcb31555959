// What a PNG file holds of each pixel of a picture: a gray or a place in a palette (one byte), or
// red, green and blue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "master/picture.h"

namespace procpool {

class PngPixels {
 public:
  enum class Kind { kGray, kPalette, kRgb };

  /// The picture outlives this object.
  explicit PngPixels(const Picture& picture);

  Kind kind() const { return kind_; }
  /// Bytes of a line, without the filter's.
  std::size_t stride() const {
    return std::size_t{picture_.width()} * (kind_ == Kind::kRgb ? 3 : 1);
  }
  /// pixels.size() == stride(). From any thread.
  void Line(std::uint32_t line, std::span<std::uint8_t> pixels) const;

 private:
  const Picture& picture_;
  Kind kind_ = Kind::kRgb;
  std::array<std::uint8_t, 256> grays_{};  // of the palette's places
  bool places_are_grays_ = true;
};

}  // namespace procpool
