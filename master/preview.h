// `--preview`: the picture in the terminal, as well as that terminal can show it.
//
// By kitty's graphics protocol or by sixels where the terminal says that it has them, by half
// blocks elsewhere. Only a terminal is asked, for kAnswerDeadline at most; a pipe or a file gets
// half blocks, 80 columns of them.
//
// Colours of half blocks: all 24 bits, but 256 colours where TERM speaks of them and COLORTERM does
// not say `truecolor` or `24bit`. With NO_COLOR or TERM=dumb the terminal is not asked, and the
// picture is shades: blocks under a UTF-8 locale, else letters. Kitty and sixel that were asked for
// by name are shown whatever these say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/clock.h"
#include "master/picture.h"
#include "master/preview_blocks.h"
#include "master/preview_mode.h"
#include "master/preview_stream.h"

namespace procpool {

/// Terminals answer within milliseconds, at the far end of a slow line within its round trip. What
/// does not answer at all costs so much.
inline constexpr Nanoseconds kAnswerDeadline = 1 * kSecond;

/// Scales the picture and writes it to the descriptor, which nothing waits to be written to (a
/// buffer, another thread). Returns what was shown, in words: "sixel, 480 x 480 pixels"; empty
/// where the stream is closed, took no more, or a signal came: see InterruptRequested() for that.
std::string ShowPreview(const Picture& picture, PreviewMode mode, int fd);

/// The parts of the decision, for tests.
namespace preview {

/// Variables of the environment; null where there is none.
struct Environment {
  const char* no_color = nullptr;
  const char* term = nullptr;
  const char* colorterm = nullptr;
  bool utf8 = false;  ///< the locale's encoding
};
BlockColours ColoursFor(const Environment& environment);

/// The room for half blocks, and for pixels: less than the terminal's window, so that the picture
/// is seen whole. `size` is nothing where the stream is no terminal.
PixelSize RoomForBlocks(const std::optional<TerminalSize>& size);
PixelSize RoomForPixels(const std::optional<TerminalSize>& size);

}  // namespace preview
}  // namespace procpool
