// What goes on beside a run: signals from the terminal, and the progress line.
//
// A thread of its own waits for signals (they are blocked in every other thread, so no code runs in
// handlers) and redraws the progress ten times a second. First SIGINT, SIGTERM or SIGHUP: nothing
// more is given out. Second: stop at once. SIGTSTP (Ctrl-Z): the workers are stopped, then this
// process; both go on with SIGCONT. Signals that were ignored when the program started stay
// ignored.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "common/clock.h"

namespace procpool {

struct Controls {
  std::function<void()> interrupt;
  std::function<void()> abort;
  std::function<void()> suspend;
  std::function<void(Nanoseconds stopped)> resume;
  std::function<std::uint64_t()> chunks_done;
  std::string_view unit = "chunks";  ///< what the progress line counts
};

/// Blocks the signals the attendant waits for. Call it before any thread is started.
void BlockAttendedSignals();
/// A reader that has left and a file that may not grow are errors of the write from now on, not a
/// reason to die.
void IgnoreSignalsOfWriting();

/// For what follows the run (verifying, writing files): from now on the first SIGINT, SIGTERM or
/// SIGHUP is only remembered, the second ends the program at once with exit code 130; one that came
/// during the run counts. Files that are not complete have no name yet, so nothing is left then.
void ReleaseAttendedSignals();
/// Whether there was one, during the run or after it.
bool InterruptRequested();

class Attendant {
 public:
  /// Begins. `chunks` is how many there are in all.
  Attendant(Controls controls, std::uint64_t chunks, bool show_progress);
  /// Clears the progress line.
  ~Attendant();
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

 private:
  void ThreadMain();
  void Act(int signal);
  void Suspend();
  void ShowProgress(bool last);

  Controls controls_;
  std::uint64_t chunks_;
  bool show_progress_;
  bool on_terminal_;
  Nanoseconds begun_;
  Nanoseconds last_shown_;
  std::size_t shown_columns_ = 0;
  std::atomic<bool> quit_{false};
  std::thread thread_;
};

}  // namespace procpool
