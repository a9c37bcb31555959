// Some lines of a PNG picture, coloured, filtered and compressed by themselves: a part of the
// file's one zlib stream that needs nothing of the parts before it, so that several threads can
// make parts at a time.
//
// A part is raw deflate data that ends at a whole byte, the last part with deflate's end. Parts one
// after the other, between the two bytes of PngStreamHead() and the check value over all of them,
// are the stream (RFC 1950 and 1951). Which lines a part has depends on the picture alone, so the
// bytes of a file do not depend on the number of threads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/clock.h"
#include "master/png_pixels.h"

namespace procpool {

/// How a picture is divided.
struct PngStrips {
  std::uint32_t height = 0;
  std::uint32_t lines = 1;  ///< of each strip; the last one may have fewer
  std::size_t count = 0;
};
PngStrips StripsOf(std::size_t stride, std::uint32_t height);

std::array<std::uint8_t, 2> PngStreamHead();

class PngStrip {
 public:
  /// Makes the `index`-th strip, in the place of the one that was here. Throws std::bad_alloc.
  void Make(const PngPixels& pixels, const PngStrips& strips, std::size_t index);

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  /// The check value (Adler-32) of all strips up to this one, `before` being that of those before
  /// it, which is 1 where there are none.
  std::uint32_t CheckAfter(std::uint32_t before) const;

  /// Wall time: asking the picture for its lines, and all else.
  Nanoseconds colouring() const { return colouring_; }
  Nanoseconds compressing() const { return compressing_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint32_t check_ = 1;
  std::uint64_t size_ = 0;  // before it was compressed
  Nanoseconds colouring_ = 0;
  Nanoseconds compressing_ = 0;
};

}  // namespace procpool
