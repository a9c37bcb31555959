// A picture by the graphics protocol of the terminal kitty, which others have too.
//
// Source: https://sw.kovidgoyal.net/kitty/graphics-protocol. The pixels travel as they are, three
// bytes each (f=24), in base64, in pieces of at most 4096 characters of it; q=2 forbids the
// terminal to answer, for nobody would read it.
#pragma once

#include <string>
#include <string_view>

#include "master/picture_scaled.h"

namespace procpool {

/// Pure. Afterwards the cursor is at the beginning of the line below the picture.
std::string Kitty(const RgbImage& image);
/// What ends Kitty() that was cut short somewhere: the sequence, then the picture.
inline constexpr std::string_view kKittyCut = "\x1b\\\x1b_Gm=0,q=2;\x1b\\\n";

}  // namespace procpool
