// What a terminal says of itself when it is asked which pictures it can show: the question, and the
// reader of the answers.
//
// The question ends with primary device attributes, which every terminal since the VT100 answers,
// and answers come in the order of the questions: once that one is there, none is on its way any
// more.
// Sources: https://invisible-island.net/xterm/ctlseqs (DA1, XTSMGRAPHICS, window reports),
// https://sw.kovidgoyal.net/kitty/graphics-protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "master/picture_scaled.h"

namespace procpool {

struct TerminalAnswer {
  bool kitty = false;               ///< kitty's graphics protocol
  bool sixel = false;               ///< attribute 4 of DA1
  std::uint32_t sixel_colours = 0;  ///< colour registers; 0: it did not say
  PixelSize pixels;                 ///< of the window's text; 0 x 0: it did not say
  bool operator==(const TerminalAnswer&) const = default;
};

/// In this order: a picture of one pixel that kitty's protocol shall check but not show; the number
/// of sixel's colours; the window's size; DA1. The cursor is kept around it, for a terminal that
/// knows no such thing may print it as text: kQuestionCleared takes that away.
inline constexpr std::string_view kQuestion =
    "\x1b"
    "7\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[?1;1;0S\x1b[14t\x1b[c";
inline constexpr std::string_view kQuestionCleared =
    "\x1b"
    "8\x1b[K";

/// Takes what comes from the terminal, byte by byte, however it is split. What is no answer (keys
/// that were pressed meanwhile, answers to others' questions) is passed over.
class TerminalAnswerReader {
 public:
  void Take(char byte);
  /// DA1 has come.
  bool Complete() const { return complete_; }
  const TerminalAnswer& answer() const { return answer_; }

 private:
  enum class State { kText, kEscape, kControl, kApplication, kApplicationEscape };

  void EndControl(char final);
  void EndApplication();

  State state_ = State::kText;
  std::string body_;  // of the sequence under way
  TerminalAnswer answer_;
  bool complete_ = false;
};

}  // namespace procpool
