#include "master/thread_team.h"

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>

#include <procpool/error.h>
#include "master/prepared_coords.h"

namespace procpool {
namespace {

// Computes one chunk, with the coordinates written out first if the payload says so, as the workers
// get them.
class ChunkComputer {
 public:
  explicit ChunkComputer(const TeamJob& job)
      : job_(job),
        rows_(job.fractal, job.kernel),
        row_axis_(job.fractal.RowAxis()),
        column_axis_(job.fractal.ColumnAxis()) {}

  /// What comes before computing: the coordinates, if any are needed.
  void Encode(const Chunk& chunk) {
    if (job_.payload == RowsPayload::kRows) return;
    const std::uint64_t width = job_.fractal.Width();
    const std::size_t points = chunk.rows * width;
    if (job_.prepared != nullptr) {
      z_ = reinterpret_cast<double*>(PreparedBytes(*job_.prepared, job_.fractal, chunk).data());
      return;
    }
    coords_.resize(4 * points);
    z_ = coords_.data();
    FillCoords(job_.fractal, row_axis_, column_axis_, chunk.first_row * width, points, z_,
               z_ + 2 * points);
  }

  void Compute(const Chunk& chunk) {
    const std::uint64_t width = job_.fractal.Width();
    const std::uint64_t first = chunk.first_row * width;
    const std::size_t points = chunk.rows * width;
    const std::span<std::int32_t> counts = job_.grid.as<std::int32_t>().subspan(first, points);
    if (job_.payload == RowsPayload::kRows) return rows_.Compute(first, counts);
    const double* c = z_ + 2 * points;
    job_.kernel.compute(job_.fractal, {{z_, 2}, {z_ + 1, 2}, {c, 2}, {c + 1, 2}, points},
                        counts.data());
  }

 private:
  const TeamJob& job_;
  RowsComputer rows_;
  AxisPoints row_axis_;
  AxisPoints column_axis_;
  std::vector<double> coords_;
  double* z_ = nullptr;  // the chunk's z, and c behind it
};

}  // namespace

ThreadTeam::ThreadTeam(unsigned threads) {
  try {
    for (unsigned index = 0; index < threads; ++index) {
      threads_.emplace_back([this, index] { ThreadMain(index); });
    }
  } catch (const std::system_error& error) {
    const std::string which =
        std::to_string(threads_.size() + 1) + " of " + std::to_string(threads);
    Quit();
    throw Error(Blame::kMachine, {"start", "thread " + which, error.code().message(),
                                  "use fewer workers or raise the limit on processes"});
  }
}

ThreadTeam::~ThreadTeam() {
  Quit();
}

void ThreadTeam::Quit() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<ThreadTally> ThreadTeam::Run(const TeamJob& job) {
  next_ = 0;
  items_done_ = 0;
  if (threads_.empty()) return {Work(job, 0)};
  std::unique_lock lock(mutex_);
  tallies_.assign(threads_.size(), {});
  failure_ = nullptr;
  job_ = &job;
  working_ = static_cast<unsigned>(threads_.size());
  ++round_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return working_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
  return tallies_;
}

void ThreadTeam::ThreadMain(unsigned index) {
  std::uint64_t done_round = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return quit_ || round_ != done_round; });
    if (quit_) return;
    done_round = round_;
    const TeamJob& job = *job_;
    lock.unlock();
    ThreadTally tally;
    std::exception_ptr failure;
    try {
      tally = Work(job, index);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    tallies_[index] = std::move(tally);
    if (failure_ == nullptr) failure_ = failure;
    if (--working_ == 0) changed_.notify_all();
  }
}

ThreadTally ThreadTeam::Work(const TeamJob& job, unsigned index) {
  ThreadTally tally;
  ChunkComputer computer(job);
  tally.begun = Now();
  const auto compute = [&](const Chunk& chunk) {
    RowsPlacement placement{.first_row = chunk.first_row, .rows = chunk.rows, .slot = index};
    if (job.timed) {
      const Nanoseconds encoding = Now();
      computer.Encode(chunk);
      const Nanoseconds cpu_begun = ThreadCpuTime();
      const Nanoseconds begun = Now();
      computer.Compute(chunk);
      tally.encode += begun - encoding;
      const Nanoseconds finished = Now();
      tally.compute += finished - begun;
      tally.compute_cpu += ThreadCpuTime() - cpu_begun;
      placement.begun = begun;
      placement.finished = finished;
    } else {
      computer.Encode(chunk);
      computer.Compute(chunk);
    }
    ++tally.items;
    tally.rows += chunk.rows;
    placement.order = items_done_.fetch_add(1, std::memory_order_relaxed);
    tally.placements.push_back(placement);
  };
  if (threads_.empty() || job.plan.owners.empty()) {
    while (!interrupted_) {
      const std::uint64_t id = next_.fetch_add(1, std::memory_order_relaxed);
      if (id >= job.plan.chunks.size()) break;
      compute(job.plan.chunks[id]);
    }
  } else {
    for (const Chunk& chunk : job.plan.chunks) {
      if (interrupted_) break;
      if (job.plan.owners[chunk.id] == index) compute(chunk);
    }
  }
  tally.finished = Now();
  return tally;
}

}  // namespace procpool
