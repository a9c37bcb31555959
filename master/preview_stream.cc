#include "master/preview_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>

namespace procpool {
namespace {

// How often a wait looks whether a signal has come.
constexpr Nanoseconds kSlice = 50 * kMillisecond;
constexpr Nanoseconds kEndingDeadline = 1 * kSecond;
// A pipe that is ready takes as much at once without blocking.
constexpr std::size_t kPiece = PIPE_BUF;

constexpr std::array kLeaving{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// What is ignored shall stay so: blocked, it would wait.
void AddUnlessIgnored(sigset_t& set, int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  if (action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
}

}  // namespace

PreviewStream::PreviewStream(int fd)
    : borrowed_(fd),
      terminal_(::isatty(fd) == 1),
      // Only of its controlling terminal can a process ask for the group in the foreground.
      foreground_(terminal_ && ::tcgetpgrp(fd) == ::getpgrp()) {
  if (terminal_) {
    const std::string path = foreground_ ? "/dev/tty" : "/proc/self/fd/" + std::to_string(fd);
    const int access = foreground_ ? O_RDWR : O_WRONLY;
    own_.Reset(::open(path.c_str(), access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!own_) foreground_ = false;
  }
  ::sigemptyset(&leaving_);
  for (const int signal : kLeaving) AddUnlessIgnored(leaving_, signal);
  sigset_t blocked = leaving_;
  AddUnlessIgnored(blocked, SIGTSTP);
  if (foreground_) {
    // Should somebody take the foreground away, the settings can still be put back.
    ::sigaddset(&blocked, SIGTTOU);
    ::sigaddset(&blocked, SIGTTIN);
  }
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask_before_);
}

PreviewStream::~PreviewStream() {
  if (settings_before_) {
    // The answer never came, or not yet: what has arrived by now is not for the shell to read.
    ::tcflush(fd(), TCIFLUSH);
    ::tcsetattr(fd(), TCSANOW, &*settings_before_);
  }
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

std::optional<TerminalSize> PreviewStream::Size() const {
  if (!terminal_) return std::nullopt;
  winsize size{};
  ::ioctl(borrowed_, TIOCGWINSZ, &size);
  return TerminalSize{size.ws_col, size.ws_row, {size.ws_xpixel, size.ws_ypixel}};
}

std::optional<TerminalAnswer> PreviewStream::Ask(Nanoseconds duration) {
  if (!foreground_) return std::nullopt;
  const Deadline deadline = Deadline::After(duration);
  termios before{};
  if (::tcgetattr(fd(), &before) != 0) return std::nullopt;
  termios mute = before;
  // Neither shown nor held back until a line is complete. Ctrl-C stays a signal.
  mute.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  mute.c_cc[VMIN] = 1;
  mute.c_cc[VTIME] = 0;
  if (::tcsetattr(fd(), TCSANOW, &mute) != 0) return std::nullopt;
  const auto restore = [&] {
    ::tcsetattr(fd(), TCSANOW, &before);
    settings_before_.reset();
  };
  if (Await(POLLIN, Deadline::After(0), false)) {  // somebody has typed ahead
    restore();
    return std::nullopt;
  }
  settings_before_ = before;

  TerminalAnswerReader reader;
  // An interrupt waits for the answer too, lest the shell read it.
  bool alive = WriteUntil(kQuestion, deadline, false);
  while (alive && !reader.Complete() && Await(POLLIN, deadline, false)) {
    // One at a time: what follows the answer are keys for somebody else.
    char byte = 0;
    const ssize_t got = ::read(fd(), &byte, 1);
    if (got == 1)
      reader.Take(byte);
    else
      alive = got < 0 && (errno == EAGAIN || errno == EINTR);
  }
  if (alive) WriteUntil(kQuestionCleared, deadline, false);
  if (!reader.Complete()) return std::nullopt;
  restore();
  return reader.answer();
}

bool PreviewStream::Write(std::string_view text) {
  return WriteUntil(text, Deadline::Far(), true);
}

void PreviewStream::WriteEnding(std::string_view text) {
  WriteUntil(text, Deadline::After(kEndingDeadline), false);
}

bool PreviewStream::Interrupted() const {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  return std::ranges::any_of(kLeaving, [&](int signal) {
    return ::sigismember(&pending, signal) == 1 && ::sigismember(&leaving_, signal) == 1;
  });
}

bool PreviewStream::WriteUntil(std::string_view text, Deadline deadline, bool heed_signals) {
  while (!text.empty()) {
    if (!Await(POLLOUT, deadline, heed_signals)) return false;
    const ssize_t wrote = ::write(fd(), text.data(), std::min(text.size(), kPiece));
    if (wrote < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// False where the deadline or a signal comes first. What went wrong with the stream is for read()
// and write() to say.
bool PreviewStream::Await(short events, Deadline deadline, bool heed_signals) const {
  for (;;) {
    if (heed_signals && Interrupted()) return false;
    const Deadline slice = std::min(deadline, Deadline::After(kSlice));
    pollfd entry{.fd = fd(), .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, slice.LeftForPoll());
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    if (deadline.Passed()) return false;
  }
}

}  // namespace procpool
