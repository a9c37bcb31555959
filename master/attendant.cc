#include "master/attendant.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>

#include "common/log.h"

namespace procpool {
namespace {

constexpr std::array kAttended{SIGINT, SIGTERM, SIGHUP, SIGTSTP};
// Of the attendant and, after the run, of the signal handler: one count, so that the second one
// ends the program whenever the first one came.
std::atomic<int> interrupts{0};
static_assert(std::atomic<int>::is_always_lock_free);

constexpr int kQuitSignal = SIGUSR2;  // ends the wait when the run is over
constexpr Nanoseconds kTick = 100 * kMillisecond;
// Short runs show nothing; without a terminal a line is a line for good, so there are few of them.
constexpr Nanoseconds kFirstShown = 300 * kMillisecond;
constexpr Nanoseconds kPlainEvery = 2 * kSecond;

sigset_t AttendedSignals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : kAttended) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    // A signal that is blocked is not thrown away although it is ignored; so it is not even waited
    // for.
    if (action.sa_handler != SIG_IGN) ::sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

void BlockAttendedSignals() {
  sigset_t set = AttendedSignals();
  ::sigaddset(&set, kQuitSignal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void IgnoreSignalsOfWriting() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

bool InterruptRequested() {
  return interrupts.load() > 0;
}

void ReleaseAttendedSignals() {
  const sigset_t set = AttendedSignals();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    if (::sigismember(&set, signal) == 0) continue;
    struct sigaction leave {};
    leave.sa_handler = [](int) {
      if (interrupts.fetch_add(1) > 0) ::_exit(130);
    };
    ::sigaction(signal, &leave, nullptr);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Attendant::Attendant(Controls controls, std::uint64_t chunks, bool show_progress)
    : controls_(std::move(controls)),
      chunks_(chunks),
      show_progress_(show_progress),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      begun_(Now()),
      last_shown_(begun_),
      thread_([this] { ThreadMain(); }) {}

Attendant::~Attendant() {
  quit_ = true;
  ::pthread_kill(thread_.native_handle(), kQuitSignal);
  thread_.join();
}

void Attendant::ThreadMain() {
  sigset_t awaited = AttendedSignals();
  ::sigaddset(&awaited, kQuitSignal);
  const timespec tick{0, kTick};
  while (!quit_) {
    const int signal = ::sigtimedwait(&awaited, nullptr, &tick);
    if (signal > 0 && signal != kQuitSignal) Act(signal);
    ShowProgress(false);
  }
  ShowProgress(true);
}

void Attendant::Act(int signal) {
  if (signal == SIGTSTP) return Suspend();
  if (interrupts.fetch_add(1) == 0) {
    Log(LogLevel::kWarning, "interrupted: finishing what is under way; once more to stop at once");
    controls_.interrupt();
  } else {
    controls_.abort();
  }
}

void Attendant::Suspend() {
  ShowProgress(true);
  controls_.suspend();
  const Nanoseconds begun = Now();
  // The default action of SIGTSTP stops the whole process, and does nothing where nobody could
  // continue it.
  sigset_t stop;
  ::sigemptyset(&stop);
  ::sigaddset(&stop, SIGTSTP);
  ::raise(SIGTSTP);
  ::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);  // it stops here
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  controls_.resume(Now() - begun);
}

void Attendant::ShowProgress(bool last) {
  if (!show_progress_) return;
  const Nanoseconds now = Now();
  if (last) {
    if (shown_columns_ > 0) std::fprintf(stderr, "\r%*s\r", static_cast<int>(shown_columns_), "");
    shown_columns_ = 0;
    return;
  }
  if (now - begun_ < kFirstShown || now - last_shown_ < (on_terminal_ ? kTick : kPlainEvery))
    return;
  last_shown_ = now;
  // Of a chunk that killed its workers the parts count, so there may be more.
  const std::uint64_t done = std::min(controls_.chunks_done(), chunks_);
  std::array<char, 128> line{};
  const int length = std::snprintf(
      line.data(), line.size(), "%llu of %llu %s, %3.0f %%, %.1f s",
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(chunks_),
      std::string(controls_.unit).c_str(),
      100.0 * static_cast<double>(done) / static_cast<double>(chunks_), Seconds(now - begun_));
  if (on_terminal_) {
    std::fprintf(stderr, "\r%s", line.data());
    shown_columns_ = static_cast<std::size_t>(length);
  } else {
    std::fprintf(stderr, "%s\n", line.data());
  }
}

}  // namespace procpool
