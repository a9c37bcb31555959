// How often the bytes of long arguments are moved: over shared memory once, into the block in which
// the task reads them.
#include <gtest/gtest.h>

#include <ranges>
#include <vector>

#include <procpool/pool.h>
#include "master/map_job.h"
#include "master/worker_pool.h"
#include "tests/library/tasks.h"

namespace procpool::tests {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

struct Moved {
  std::vector<double> sums;
  std::uint64_t sent = 0;    // by the channels
  std::size_t in_arena = 0;  // bytes of all blocks that there were
};

Moved MapOver(const std::string& transport, const std::vector<std::vector<double>>& rows) {
  using Rows = std::ranges::ref_view<const std::vector<std::vector<double>>>;
  using Batch =
      detail::RangeBatch<detail::Elements::kArguments, Rows, double, std::span<const double>>;
  WorkerPool pool({.procs = 2, .transport = transport, .worker_program = "/proc/self/exe"});
  const auto state = std::make_shared<Batch::State>(std::make_shared<detail::CallbackThread>());
  const auto batch = std::make_shared<Batch>(
      sum, Rows(rows), detail::AutomaticChunk<std::span<const double>>(rows, 2), state);
  InputArena arena;
  MapJob job(batch, {.arena = pool.transport().shares_memory ? &arena : nullptr});
  const JobReport report = pool.Run(job, {.most_deaths = 1, .quiet_failures = true});
  static_cast<detail::Batch&>(*batch).Ended(nullptr);
  return {state->Value(), report.traffic.sent, arena.idle()};
}

TEST(Copies, LongArgumentsAreOnlyPlacedOverSharedMemory) {
  const std::vector<std::vector<double>> rows(64, std::vector<double>(kMegabyte / 8, 0.5));
  const std::vector<double> expected(64, kMegabyte / 8 * 0.5);
  const Moved shm = MapOver("shm", rows);
  EXPECT_EQ(shm.sums, expected);
  EXPECT_LT(shm.sent, kMegabyte / 16) << "heads, and nothing of the 64 MB";
  EXPECT_GE(shm.in_arena, kMegabyte);
  EXPECT_LE(shm.in_arena, 16 * kMegabyte) << "blocks are used again";
  // Over a pipe they go through the channel, which shows that the first figure says something.
  const Moved pipe = MapOver("pipe", rows);
  EXPECT_EQ(pipe.sums, expected);
  EXPECT_GT(pipe.sent, 64 * kMegabyte);
  EXPECT_EQ(pipe.in_arena, 0U);
}

}  // namespace
}  // namespace procpool::tests
