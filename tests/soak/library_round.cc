#include "tests/soak/library_round.h"

#include <chrono>
#include <exception>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <procpool/pool.h>
#include "tests/soak/caller.h"
#include "tests/soak/violation.h"
#include "tests/worker_attack.h"

namespace procpool::soak {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr unsigned kCallers = 3;
constexpr int kSteps = 8;
constexpr std::chrono::seconds kLongestJoin{60};

PoolOptions RandomPool(std::mt19937& random) {
  constexpr const char* kTransports[] = {"shm", "pipe", "queue"};
  return {.workers = 1 + random() % 4,
          .transport = kTransports[random() % 3],
          .max_tasks_per_worker = random() % 3 == 0 ? 50 + random() % 200 : 0,
          .statistics = true,  // they say which processes the workers are
          .grace = milliseconds(200)};
}

// Those that have answered something: a pool whose workers never do gives up, as it promises.
std::vector<pid_t> AtWork(Pool& pool) {
  std::vector<pid_t> pids;
  for (const WorkerStatistics& worker : pool.statistics().workers) {
    if (worker.end.empty() && worker.chunks > 0) pids.push_back(worker.pid);
  }
  return pids;
}

}  // namespace

void LibraryRound(unsigned seed, Tally& tally, Watchdog& watchdog) {
  std::mt19937 random(seed);
  const PoolOptions options = RandomPool(random);
  const std::string what = "library round, seed " + std::to_string(seed) + ", " +
                           options.transport + ", " + std::to_string(options.workers) + " workers";
  watchdog.Now(what + ": the calls");
  Pool pool(options);
  std::atomic<bool> is_ending{false};
  std::vector<std::exception_ptr> errors(kCallers);
  std::vector<std::thread> callers;
  for (unsigned caller = 0; caller < kCallers; ++caller) {
    callers.emplace_back([&, caller, caller_seed = random()] {
      try {
        Caller(pool, is_ending, tally, static_cast<unsigned>(caller_seed)).Run(kSteps);
      } catch (...) {
        errors[caller] = std::current_exception();
      }
    });
  }
  const bool terminates = random() % 3 == 0;
  const auto when = milliseconds(random() % 300);
  {
    WorkerAttack attack({.seed = static_cast<unsigned>(random()),
                         .longest_pause = microseconds(20'000),
                         .stop_one_in = 4,
                         .victims = [&pool] { return AtWork(pool); }});
    if (terminates) {
      std::this_thread::sleep_for(when);
      watchdog.Now(what + ": terminate()");
      is_ending = true;
      pool.terminate();
      watchdog.Now(what + ": calls of a terminated pool");
    }
    for (std::thread& caller : callers) caller.join();
    if (!terminates) {
      watchdog.Now(what + ": close() and join()");
      pool.close();
      Require(pool.join_for(kLongestJoin), "join() hangs");
    }
    attack.End();
    tally.killed += attack.killed();
    tally.stopped += attack.stopped();
  }
  watchdog.Now(what + ": the end of the pool");
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  ++tally.library_rounds;
}

}  // namespace procpool::soak
