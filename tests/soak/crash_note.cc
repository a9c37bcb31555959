#include "tests/soak/crash_note.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <string_view>

namespace procpool::soak {
namespace {

std::atomic<unsigned> current_seed{0};

void Say(std::string_view text) {
  [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, text.data(), text.size());
}

// Only what a signal handler may call. The signal is raised again with its default disposition
// (SA_RESETHAND) once this returns, or the faulting instruction runs again.
void OnCrash(int signal) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), current_seed.load()).ptr;
  Say("CRASH in the round of --seed ");
  Say({digits.data(), static_cast<std::size_t>(end - digits.data())});
  Say(" --rounds 1\n");
  ::raise(signal);
}

}  // namespace

void NoteCrashes() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_handler = OnCrash;
    action.sa_flags = SA_RESETHAND;
    ::sigaction(signal, &action, nullptr);
  }
}

void NoteRound(unsigned seed) {
  current_seed = seed;
}

}  // namespace procpool::soak
