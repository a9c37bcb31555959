// The stream that a preview goes to: a terminal, which may be asked what it can show, or anything
// else.
//
// Promise: however this ends, the terminal is as it was. While an object lives, the signals that
// end or stop the program wait; Interrupted() tells of those that end it, and Write() heeds them.
// They have their effect when the object goes: when the terminal has its settings back, and no
// picture is open any more that would swallow what is printed next.
//
// A thread that does not block these signals would take them: call this when there is only one.
#pragma once

#include <signal.h>
#include <termios.h>

#include <optional>
#include <string_view>

#include "common/clock.h"
#include "common/unique_fd.h"
#include "master/picture_scaled.h"
#include "master/terminal_answer.h"

namespace procpool {

/// Numbers are 0 where the terminal does not know them.
struct TerminalSize {
  std::uint32_t columns = 0;
  std::uint32_t rows = 0;
  PixelSize pixels;
};

class PreviewStream {
 public:
  /// `fd` is borrowed.
  explicit PreviewStream(int fd);
  ~PreviewStream();
  PreviewStream(const PreviewStream&) = delete;
  PreviewStream& operator=(const PreviewStream&) = delete;

  /// The size of the terminal; nothing where the stream is none.
  std::optional<TerminalSize> Size() const;

  /// Asks the terminal. Nothing where it cannot be asked or does not answer within `duration`,
  /// which is the most that this takes. It cannot be asked unless it is this process' controlling
  /// terminal, with the process in its foreground and no key pressed that nobody has read yet:
  /// among answers it could be read by nobody else. At most once.
  std::optional<TerminalAnswer> Ask(Nanoseconds duration);

  /// Writes all of it, waiting for as long as the reader takes, for a terminal may be paused by its
  /// user. False once a signal came or the stream takes no more.
  bool Write(std::string_view text);
  /// What must be written after a Write() that was cut short; a signal does not hinder it, and it
  /// does not wait for long.
  void WriteEnding(std::string_view text);

  /// Whether a signal waits that ends the program.
  bool Interrupted() const;

 private:
  bool WriteUntil(std::string_view text, Deadline deadline, bool heed_signals);
  bool Await(short events, Deadline deadline, bool heed_signals) const;
  int fd() const { return own_ ? own_.get() : borrowed_; }

  int borrowed_;
  bool terminal_;
  bool foreground_;  // may be asked
  UniqueFd own_;     // the terminal once more: it does not block, which the borrowed one may
  sigset_t leaving_{};
  sigset_t mask_before_{};
  std::optional<termios> settings_before_;  // to be put back
};

}  // namespace procpool
