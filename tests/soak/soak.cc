// Random work over random pools, with workers that fail and somebody who kills them, for a given
// time: soak [--seconds N] [--seed N] [--rounds N].
//
// Stops at the first violation of what docs/library.md and docs/faults.md promise: says the seed of
// the round and what was wrong, and exits with 1. The seed alone makes the same choices again, with
// --rounds 1; what the system's scheduler does is not in it. A hang or a crash is a violation too:
// then the program says in which round, and of a hang where, and aborts.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <procpool/pool.h>
#include <procpool/worker.h>
#include "common/log.h"
#include "tests/nothing_left.h"
#include "tests/soak/crash_note.h"
#include "tests/soak/library_round.h"
#include "tests/soak/rows_round.h"
#include "tests/soak/violation.h"

namespace procpool::soak {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestRound{180};
constexpr std::chrono::seconds kSaySomething{10};

struct Wish {
  unsigned seconds = 30;
  unsigned seed = 1;
  unsigned rounds = std::numeric_limits<unsigned>::max();
};

std::optional<Wish> Parse(int argc, char** argv) {
  Wish wish;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    unsigned* const value = option == "--seconds"  ? &wish.seconds
                            : option == "--seed"   ? &wish.seed
                            : option == "--rounds" ? &wish.rounds
                                                   : nullptr;
    if (value == nullptr || i + 1 == argc) return std::nullopt;
    const char* const end = argv[i + 1] + std::strlen(argv[i + 1]);
    const auto [stop, error] = std::from_chars(argv[i + 1], end, *value);
    if (error != std::errc() || stop != end) return std::nullopt;
  }
  return wish;
}

void Round(unsigned seed, Tally& tally) {
  NoteRound(seed);
  const NothingLeft before;
  {
    Watchdog watchdog(kLongestRound, "round of seed " + std::to_string(seed));
    seed % 3 == 0 ? RowsRound(seed, tally, watchdog) : LibraryRound(seed, tally, watchdog);
  }
  const std::string left = before.WhatIsLeft();
  Require(left.empty(), "left behind: " + left);
}

int Run(const Wish& wish) {
  StartLog("soak", "off");
  NoteCrashes();
  // What is made once stays.
  { Pool first({.workers = 1}); }
  Tally tally;
  const Clock::time_point begun = Clock::now();
  Clock::time_point said = begun;
  unsigned seed = wish.seed;
  for (unsigned round = 0; round < wish.rounds; ++round, ++seed) {
    const Clock::time_point now = Clock::now();
    if (now - begun >= std::chrono::seconds(wish.seconds)) break;
    if (now - said >= kSaySomething) {
      said = now;
      std::printf("%lld s: %s\n",
                  static_cast<long long>(
                      std::chrono::duration_cast<std::chrono::seconds>(now - begun).count()),
                  tally.Text().c_str());
      std::fflush(stdout);
    }
    try {
      Round(seed, tally);
    } catch (const std::exception& error) {
      std::printf("VIOLATION in the round of --seed %u --rounds 1: %s\n%s\n", seed, error.what(),
                  tally.Text().c_str());
      return 1;
    }
  }
  std::printf("no violation, seeds %u to %u: %s\n", wish.seed, seed - 1, tally.Text().c_str());
  return 0;
}

}  // namespace
}  // namespace procpool::soak

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  const auto wish = procpool::soak::Parse(argc, argv);
  if (!wish) {
    std::fprintf(stderr, "usage: soak [--seconds N] [--seed N] [--rounds N]\n");
    return 2;
  }
  return procpool::soak::Run(*wish);
}
