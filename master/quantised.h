// A picture in few colours, as sixels need it: its own where there are few enough, else those that
// median cut finds.
//
// Colours are in percent, for that is what sixels have: 101 steps of each primary.
// Source: P. Heckbert, Color image quantization for frame buffer display, 1982.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "master/picture_scaled.h"

namespace procpool {

using Percents = std::array<std::uint8_t, 3>;  ///< red, green, blue; each from 0 to 100

struct Quantised {
  std::vector<Percents> palette;     ///< at most as many as were allowed; all are used
  std::vector<std::uint8_t> places;  ///< in the palette, one for each pixel
};

/// The nearest percentage: 255 is 100.
Percents PercentsOf(Rgb colour);

/// `most` colours are allowed, 2 to 256.
Quantised Quantise(const RgbImage& image, std::size_t most);

}  // namespace procpool
