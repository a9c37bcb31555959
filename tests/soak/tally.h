// What has been done in a soak so far. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace procpool::soak {

struct Tally {
  using Count = std::atomic<std::uint64_t>;
  Count library_rounds{0};
  Count rows_rounds{0};
  Count results{0};    ///< calls with a result, which was right
  Count threw{0};      ///< … that threw
  Count died{0};       ///< … whose worker died
  Count timed_out{0};  ///< … that took too long
  Count cancelled{0};
  Count grids{0};  ///< fractal jobs whose grid was right
  Count killed{0};
  Count stopped{0};

  std::string Text() const {
    const auto part = [](const Count& count, const char* what) {
      return std::to_string(count.load()) + " " + what;
    };
    return part(library_rounds, "library rounds, ") + part(rows_rounds, "rows rounds: ") +
           part(results, "results, ") + part(threw, "threw, ") + part(died, "died, ") +
           part(timed_out, "timed out, ") + part(cancelled, "cancelled, ") +
           part(grids, "grids; ") + part(killed, "workers killed, ") + part(stopped, "stopped");
  }
};

}  // namespace procpool::soak
