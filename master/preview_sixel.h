// A picture in sixels, the pictures of DEC's terminals, which many others have: bands six pixels
// high, drawn colour by colour.
//
// Source: DEC, VT330/VT340 Programmer Reference Manual, volume 2, chapter 14.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "master/picture_scaled.h"

namespace procpool {

inline constexpr std::size_t kMostSixelColours = 256;

/// Pure. In at most `colours` colours, 2 to 256. Afterwards the cursor is at the beginning of the
/// line below the picture.
std::string Sixel(const RgbImage& image, std::size_t colours);
/// What ends Sixel() that was cut short somewhere.
inline constexpr std::string_view kSixelCut = "\x1b\\\n";

}  // namespace procpool
