// Uses a library that crashes, hangs and exits on some inputs, and loses nothing but those.
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include <procpool/pool.h>
#include <procpool/worker.h>
#include "fragile.h"

struct Answer {
  int area;
  int calls;  // how many the library had seen, in its process
};

const procpool::Task area{"area", [](const std::string& size) {
                            const int result = fragile::Area(size);
                            return Answer{result, fragile::Calls()};
                          }};

std::string Outcome(const procpool::Calls& calls, const std::string& size) {
  try {
    const Answer answer = calls.apply(area, size);
    return std::to_string(answer.area) + ", call " + std::to_string(answer.calls) +
           " of its process";
  } catch (const procpool::TaskFailed& error) {
    return "threw " + error.type() + ": " + error.text();
  } catch (const procpool::TimedOut&) {
    return "hung, and was killed";
  } catch (const procpool::WorkerDied& error) {
    if (error.signal()) return std::string("crashed: ") + ::strsignal(*error.signal());
    return "ended its process with exit code " + std::to_string(error.exit_code().value_or(-1));
  }
}

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  procpool::Pool pool({.workers = 1});
  const procpool::Calls careful = pool.with({.timeout = std::chrono::seconds(1)});
  for (const char* size :
       {"3x4", "banana", "5x6", "4x0", "6x8", "-1x2", "2x2", "8x7", "9x10", "12345x2", "7x6"}) {
    std::printf("%-8s %s\n", size, Outcome(careful, size).c_str());
  }
}
