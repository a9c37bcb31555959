// What a pool is made with, and what a call can ask for.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace procpool {

/// What one call, or each call of a map, can ask for. Given with Pool::with(), or for all of a
/// pool's calls with PoolOptions::defaults.
struct CallOptions {
  /// Calls that travel together. 0: apply and imap one, map as many as suit their number.
  std::size_t chunk_size = 0;
  /// For each call, from when a worker begins it; a worker that takes longer is killed. 0: none.
  std::chrono::nanoseconds timeout{0};
  /// How often a call is run again that killed its worker or took too long. The other calls of its
  /// chunk that had no answer yet run again in any case, and do not count.
  unsigned retries = 0;
  /// Whether a call that threw is run again as well.
  bool retry_exceptions = false;
  /// imap: how many calls may be on their way or waiting to be taken. 0: enough to keep all workers
  /// busy.
  std::size_t window = 0;
};

/// What a pool is made with.
struct PoolOptions {
  /// Worker processes. 0: as many as this process may use CPUs.
  std::size_t workers = 0;
  /// How calls and results travel. "shm": shared memory, the fastest, where long arguments are not
  /// copied. "pipe": two pipes for each worker. "queue": Boost message queues.
  std::string transport = "shm";
  /// Path of the worker program. Empty: this program, started again; its main() begins with
  /// procpool::worker_main_if_asked().
  std::string worker_program{};
  /// How a side waits for the other: "spin", "hybrid" (spin for a moment, then park), "park", or
  /// "auto", which spins only while there are more CPUs than processes.
  std::string wait = "auto";
  /// A worker is replaced after so many calls. 0: never.
  std::uint64_t max_tasks_per_worker = 0;
  /// A worker that has more memory of its own than this, in bytes, is replaced once it has answered
  /// what it has. 0: no limit.
  std::uint64_t memory_limit = 0;
  /// How many workers that died may be replaced within `restart_window`. When more die, the calls
  /// that have no result yet end with an Error, and no worker is started before the next call.
  std::uint64_t max_restarts = 1000;
  /// See max_restarts. 0: workers are replaced however many die.
  std::chrono::nanoseconds restart_window = std::chrono::seconds(10);
  /// Whether times are taken for Pool::statistics(): they cost about a microsecond a chunk.
  bool statistics = false;
  /// How long a worker may take until it is ready; the initializer's time does not count.
  std::chrono::nanoseconds ready_deadline = std::chrono::seconds(10);
  /// How long a worker that was told to leave may take, and again after SIGTERM; then SIGKILL.
  std::chrono::nanoseconds grace = std::chrono::seconds(2);
  /// Faults that the workers shall commit, to try how a program gets on with them; written as
  /// `master --chaos` takes them. Empty: none.
  std::string chaos{};
  /// What the pool and its workers log on standard error: trace, debug, info, warning, error,
  /// critical or off.
  std::string log_level = "off";
  /// What the calls of the pool ask for, unless Pool::with() says otherwise.
  CallOptions defaults{};
};

}  // namespace procpool
