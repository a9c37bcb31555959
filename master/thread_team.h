// The baselines: the same plan and the same kernel inside this process, by threads that stay alive
// from job to job, or by the calling thread alone. What every transport is compared with.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/buffer.h"
#include "common/clock.h"
#include "common/kernel.h"
#include "common/rows_payload.h"
#include "master/plan.h"
#include "master/rows_placement.h"

namespace procpool {

struct ThreadTally {
  std::uint64_t items = 0;
  std::uint64_t rows = 0;
  Nanoseconds compute = 0;
  Nanoseconds compute_cpu = 0;
  Nanoseconds encode = 0;                   ///< writing coordinates, under payload coords
  Nanoseconds begun = 0;                    ///< it turned to this job
  Nanoseconds finished = 0;                 ///< it found no chunk any more
  std::vector<RowsPlacement> placements{};  ///< times as Now() says them
};

struct TeamJob {
  const Fractal& fractal;
  const Kernel& kernel;
  RowsPayload payload;
  const Plan& plan;
  const Buffer& grid;
  const Buffer* prepared = nullptr;  ///< coordinates that were written before (prepared_coords.h)
  bool timed = true;                 ///< whether the tallies have times
};

class ThreadTeam {
 public:
  /// 0 threads: the caller computes ("serial"). Throws Error{kMachine} if they cannot be started.
  explicit ThreadTeam(unsigned threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// Computes all chunks into the grid; returns one tally per thread. Ends early once Interrupt()
  /// was called.
  std::vector<ThreadTally> Run(const TeamJob& job);
  /// From any thread: no further chunk is begun.
  void Interrupt() { interrupted_ = true; }
  std::uint64_t ItemsDone() const { return items_done_.load(std::memory_order_relaxed); }

 private:
  void Quit();
  void ThreadMain(unsigned index);
  ThreadTally Work(const TeamJob& job, unsigned index);

  std::mutex mutex_;
  std::condition_variable changed_;
  const TeamJob* job_ = nullptr;  // the job being run
  std::uint64_t round_ = 0;       // counts jobs
  unsigned working_ = 0;
  bool quit_ = false;
  std::exception_ptr failure_;  // of the job being run; the first one
  std::vector<ThreadTally> tallies_;
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> items_done_{0};
  std::atomic<bool> interrupted_{false};
  std::vector<std::thread> threads_;
};

}  // namespace procpool
