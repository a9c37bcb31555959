#include "tests/soak/rows_round.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "common/codec.h"
#include "common/kernel.h"
#include "master/rows_job.h"
#include "master/worker_pool.h"
#include "tests/soak/violation.h"
#include "tests/worker_attack.h"

namespace procpool::soak {
namespace {

// A chunk that takes longer than the pause between two kills is never done while they go on, and
// none is to be given up for who kills from outside.
constexpr unsigned kMostKills = 60;
constexpr unsigned kMostDeaths = kMostKills + 1;

/// Chosen at random.
struct Round {
  Fractal fractal;
  WorkerPoolOptions pool;
  Schedule schedule{};
  RowsPayload payload{};
  CodecInfo codec{};
  std::uint64_t chunks = 1;
  int jobs = 1;

  std::string Text() const {
    return pool.transport + ", " + std::to_string(pool.procs) + " workers, " +
           std::string(ScheduleName(schedule)) + ", " + std::to_string(chunks) + " chunks, codec " +
           std::string(codec.name) + (payload == RowsPayload::kRows ? ", rows" : ", coords") +
           ", " + (pool.faults.empty() ? "" : "faults " + pool.faults + ", ") +
           std::to_string(fractal.Width()) + " x " + std::to_string(fractal.Height());
  }
};

// Faults that the workers commit themselves: what a kill from outside hits only by luck. None of
// them can spoil a grid unseen (docs/faults.md), and the first attempt only is struck.
std::string RandomFaults(std::mt19937& random) {
  constexpr const char* kFaults[] = {"kill@received",
                                     "kill@computing",
                                     "kill@sending",
                                     "kill@sent",
                                     "signal=SEGV@sending",
                                     "exit=3@computing",
                                     "grandchild@computing",
                                     "truncate@sending",
                                     "corrupt=payload@sending",
                                     "corrupt=header@sending",
                                     "duplicate@sending",
                                     "reorder@sending",
                                     "trickle@sending",
                                     "forge=chunk@sending",
                                     "forge=attempt@sending",
                                     "forge=job@sending",
                                     "forge=length@sending",
                                     "forge=overflow@sending",
                                     "rewrite@sent",
                                     "delay=3@computing"};
  std::string spec = "seed=" + std::to_string(random());
  for (std::size_t rule = 0; rule < 3; ++rule) {
    spec += std::string(";") + kFaults[random() % std::size(kFaults)] +
            ":attempt=0,probability=0." + (random() % 2 == 0 ? "02" : "2");
  }
  return spec;
}

Round MakeRound(std::mt19937& random) {
  constexpr const char* kTransports[] = {"shm", "pipe", "queue"};
  constexpr Schedule kSchedules[] = {Schedule::kDynamic, Schedule::kStatic, Schedule::kGuided};
  Round round;
  Fractal& fractal = round.fractal;
  const auto width = static_cast<std::uint32_t>(1 + random() % 400);
  const auto height = static_cast<std::uint32_t>(1 + random() % 300);
  fractal.real = {AxisRule::kLinear, width, -1.5, 3.0 / width};
  fractal.imaginary = {AxisRule::kLinear, height, -1.0, 2.0 / height};
  fractal.constant_re = -0.62772;
  fractal.constant_im = -0.42193;
  fractal.max_iterations = static_cast<std::int32_t>(1 + random() % 200);
  round.pool = {.procs = 1 + random() % 4,
                .transport = kTransports[random() % 3],
                .grace = 200 * kMillisecond,
                .log_level = "off"};
  if (random() % 2 == 0) round.pool.faults = RandomFaults(random);
  round.schedule = kSchedules[random() % 3];
  round.payload = random() % 2 == 0 ? RowsPayload::kRows : RowsPayload::kCoords;
  round.codec = Codecs()[random() % Codecs().size()];
  round.chunks = 1 + random() % 60;
  round.jobs = static_cast<int>(1 + random() % 6);
  return round;
}

// Those that are ready: who dies before, again and again, ends the job, as is promised.
std::vector<pid_t> AtWork(WorkerPool& pool) {
  std::vector<pid_t> pids;
  pool.Look([&](const std::vector<SpawnRecord>& records) {
    for (const SpawnRecord& record : records) {
      if (record.ready != 0 && record.ended == 0) pids.push_back(record.pid);
    }
  });
  return pids;
}

}  // namespace

void RowsRound(unsigned seed, Tally& tally, Watchdog& watchdog) {
  std::mt19937 random(seed);
  const Round round = MakeRound(random);
  const Fractal& fractal = round.fractal;
  const std::string what = "rows round, seed " + std::to_string(seed) + ", " + round.Text();
  const std::size_t points = std::size_t{fractal.Width()} * fractal.Height();
  std::vector<std::int32_t> expected(points);
  RowsComputer(fractal, *FindKernel("scalar")).Compute(0, expected);
  const Plan plan = MakePlan(fractal.Height(), round.chunks,
                             static_cast<unsigned>(round.pool.procs), round.schedule);
  watchdog.Now(what);
  WorkerPool pool(round.pool);
  const Buffer grid = pool.Allocate(points * sizeof(std::int32_t), "grid");
  WorkerAttack attack({.seed = static_cast<unsigned>(random()),
                       .longest_pause = std::chrono::microseconds(30'000),
                       .most = kMostKills,
                       .victims = [&pool] { return AtWork(pool); }});
  for (int job = 0; job < round.jobs; ++job) {
    std::ranges::fill(grid.as<std::int32_t>(), -2);
    RowsJob rows(fractal, plan, grid,
                 {.kernel = "scalar",
                  .payload = round.payload,
                  .codec = round.codec.id,
                  .timed = random() % 2 == 0,
                  .allocate = [&](std::size_t bytes) { return pool.Allocate(bytes, "payload"); }});
    const JobReport report = pool.Run(rows, {.most_deaths = kMostDeaths});
    Require(report.status == JobReport::Status::kDone, "a job ends with: " + report.error);
    Require(rows.assembly().AllRowsIn(), "a job is done, and rows are missing");
    Require(std::ranges::equal(grid.as<std::int32_t>(), expected), "a grid with wrong counts");
    Require(rows.assembly().checksum() == ChecksumOf(expected), "a wrong checksum");
    ++tally.grids;
  }
  attack.End();
  tally.killed += attack.killed();
  watchdog.Now(what + ": the end of the pool");
  pool.Close();
  ++tally.rows_rounds;
}

}  // namespace procpool::soak
