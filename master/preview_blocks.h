// A picture as text: an upper half block (U+2580) for two pixels, one above the other, the upper
// one as its foreground and the lower one as its background; or, without colours, one character for
// both by how bright they are.
//
// Pure. Each line of text sets the colours it needs and ends with none set, so that lines can be
// cut off, scrolled and paged alone.
#pragma once

#include <cstdint>
#include <string>

#include "master/picture_scaled.h"

namespace procpool {

enum class BlockColours {
  k24Bit,
  k256,         ///< the nearest of xterm's 256: six levels of each colour, and 24 grays
  kShades,      ///< none: the shades U+2591 to U+2593 between blank and full block
  kShadesAscii  ///< none: ten characters of ASCII from blank to @
};

/// A cell of the terminal is one pixel wide and two high; (size.height + 1) / 2 lines.
std::string Blocks(const RgbImage& image, BlockColours colours);
/// What ends Blocks() that was cut short somewhere.
inline constexpr std::string_view kBlocksCut = "\x1b[0m\n";

/// The number of the nearest of the 256 colours; never one of the first 16, which users change.
std::uint8_t NearestOf256(Rgb colour);

}  // namespace procpool
