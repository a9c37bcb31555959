#include "master/run.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include "common/error.h"
#include "common/host.h"
#include "master/attendant.h"
#include "master/grid_writer.h"
#include "master/rows_job.h"
#include "master/thread_team.h"

namespace procpool {
namespace {

std::uint64_t GridBytes(const Fractal& fractal) {
  return std::uint64_t{fractal.Width()} * fractal.Height() * sizeof(std::int32_t);
}

std::string GridText(const Fractal& fractal) {
  return "grid of " + std::to_string(fractal.Width()) + " x " + std::to_string(fractal.Height());
}

RunResult ResultOf(JobReport report, const RunSetup& setup) {
  RunResult result;
  switch (report.status) {
    case JobReport::Status::kDone:
      result.status = RunStatus::kDone;
      break;
    case JobReport::Status::kFailed:
      result.status = RunStatus::kFailed;
      break;
    case JobReport::Status::kInterrupted:
      result.status = RunStatus::kInterrupted;
      break;
  }
  result.error = std::move(report.error);
  result.warnings = std::move(report.warnings);
  result.retries = report.retries;
  result.all_answered = report.all_answered;
  result.phases.waiting = report.waiting;
  for (const GivenUpItem& item : report.given_up) {
    const Chunk& chunk = setup.plan.chunks[item.item];
    result.given_up.push_back({chunk.first_row, chunk.rows, item.reason});
  }
  if (!result.given_up.empty()) {
    // What else ended the job, if anything did, is said first.
    result.error = report.all_answered ? "" : result.error + "; ";
    result.error += "rows were given up:";
    for (const GivenUpItem& item : report.given_up) {
      result.error += " " + RowsText(setup.plan.chunks[item.item]) + " (" + item.reason + ")";
    }
  }
  if (result.status == RunStatus::kInterrupted) {
    result.error = "interrupted after " + std::to_string(report.items_done) + " of " +
                   std::to_string(setup.plan.chunks.size()) + " chunks";
  }
  return result;
}

// One row for every process that was spawned, with what it did if it did anything.
std::vector<WorkerRow> WorkerRows(const std::vector<SpawnRecord>& records,
                                  const std::vector<WorkerTally>& tallies) {
  std::vector<WorkerRow> rows;
  rows.reserve(records.size());
  for (const SpawnRecord& record : records) {
    rows.push_back({.slot = record.slot, .pid = record.pid, .exit = record.exit});
  }
  for (const WorkerTally& tally : tallies) {
    WorkerRow& row = rows[tally.record];
    row.chunks = tally.items;
    row.compute = tally.compute;
    row.compute_cpu = tally.compute_cpu;
    row.sending = tally.sending;
  }
  return rows;
}

void SumCompute(RunResult& result) {
  for (const WorkerRow& row : result.workers) {
    result.phases.compute += row.compute;
    result.phases.compute_cpu += row.compute_cpu;
  }
}

// Until the first worker of every slot was ready; replacements are not counted.
Nanoseconds SpawnTime(const std::vector<SpawnRecord>& records, Nanoseconds begun) {
  std::set<std::size_t> slots;
  Nanoseconds latest = 0;
  for (const SpawnRecord& record : records) {
    if (!slots.insert(record.slot).second) continue;
    latest = std::max(latest, std::max(record.ready, record.spawn_returned) - begun);
  }
  return latest;
}

RunResult ExecuteInPool(const RunSetup& setup) {
  const RunOptions& options = setup.options;
  const Fractal& fractal = setup.workload.fractal;
  const Nanoseconds begun = Now();
  // The pool begins to spawn before the grid exists: a small parent spawns fastest.
  Pool pool({.procs = options.procs,
             .transport = options.transport,
             .worker_program = options.worker,
             .spawn = options.spawn,
             .wait = options.wait,
             .log_level = options.log_level});
  Buffer grid = pool.Allocate(GridBytes(fractal), GridText(fractal));
  RowsJob job(fractal, setup.kernel.name, options.payload, setup.plan, grid,
              [&](std::size_t bytes) { return pool.Allocate(bytes, "payload of a chunk"); });
  RunResult result;
  {
    const Attendant attendant({.interrupt = [&] { pool.Interrupt(); },
                               .abort = [&] { pool.Abort(); },
                               .suspend = [&] { pool.Suspend(); },
                               .resume = [&](Nanoseconds stopped) { pool.Resume(stopped); },
                               .chunks_done = [&] { return pool.ItemsDone(); }},
                              setup.plan.chunks.size(), !options.quiet);
    result = ResultOf(pool.Run(job, {.timeout = static_cast<Nanoseconds>(options.timeout * kSecond),
                                     .most_deaths = options.retries,
                                     .most_items_per_worker = options.max_chunks_per_worker}),
                      setup);
    result.wall = Now() - begun;
    const Nanoseconds stopping = Now();
    pool.Close();
    result.phases.stop = Now() - stopping;
  }
  result.wait = WaitModeName(pool.wait_mode());
  result.workers = WorkerRows(pool.Records(), pool.tallies());
  SumCompute(result);
  result.phases.spawn = SpawnTime(pool.Records(), begun);
  result.phases.split = setup.splitting + job.splitting();
  result.phases.assemble = job.assembling();
  result.has_checksum = job.assembly().AllRowsIn();
  result.checksum = job.assembly().checksum();
  result.grid = std::move(grid);
  return result;
}

RunResult ExecuteHere(const RunSetup& setup) {
  const RunOptions& options = setup.options;
  const Fractal& fractal = setup.workload.fractal;
  RequireMemory(GridBytes(fractal), GridText(fractal));
  const Nanoseconds begun = Now();
  Buffer grid = Buffer::Private(GridBytes(fractal));
  RunResult result;
  std::vector<ThreadTally> tallies;
  {
    ThreadTeam team(options.transport == "serial" ? 0 : options.procs);
    result.phases.spawn = Now() - begun;
    const Attendant attendant({.interrupt = [&] { team.Interrupt(); },
                               .abort = [] { std::_Exit(ExitCode(RunStatus::kInterrupted)); },
                               .suspend = [] {},
                               .resume = [](Nanoseconds) {},
                               .chunks_done = [&] { return team.ItemsDone(); }},
                              setup.plan.chunks.size(), !options.quiet);
    tallies = team.Run({fractal, setup.kernel, options.payload, setup.plan, grid});
    if (InterruptRequested() && team.ItemsDone() < setup.plan.chunks.size()) {
      result.status = RunStatus::kInterrupted;
      result.error = "interrupted after " + std::to_string(team.ItemsDone()) + " of " +
                     std::to_string(setup.plan.chunks.size()) + " chunks";
    }
  }
  const Nanoseconds assembling = Now();
  result.has_checksum = result.status == RunStatus::kDone;
  result.checksum = ChecksumOf(grid.as<std::int32_t>());
  result.phases.assemble = Now() - assembling;
  result.wall = Now() - begun;
  result.phases.split = setup.splitting;
  for (std::size_t index = 0; index < tallies.size(); ++index) {
    result.workers.push_back({.slot = index,
                              .chunks = tallies[index].items,
                              .compute = tallies[index].compute,
                              .compute_cpu = tallies[index].compute_cpu});
  }
  SumCompute(result);
  result.grid = std::move(grid);
  return result;
}

}  // namespace

RunSetup Prepare(const RunOptions& options) {
  RunSetup setup{.options = options,
                 .workload = LoadWorkload(options.workload, options.overrides),
                 .kernel = *FindKernel(options.kernel),
                 .plan = {},
                 .output = nullptr,
                 .warnings = {}};
  const Fractal& fractal = setup.workload.fractal;
  if (options.verify == VerifyMode::kExpected && !setup.workload.expected) {
    throw Error(Blame::kUser, {"verify", "workload '" + setup.workload.name + "'",
                               "it has no expected checksum, or an override made it inapplicable",
                               "use --verify serial or none"});
  }
  if (!options.output.empty()) {
    RequireSuited(GridFormatOf(options.output), FindColormap(options.colormap));
  }
  RequireMemory(GridBytes(fractal), GridText(fractal));
  if (!options.InProcess() && !options.worker.empty()) RequireWorkerProgram(options.worker);
  if (!options.output.empty()) setup.output = std::make_unique<OutputFile>(options.output);

  setup.begun = Now();
  setup.plan = MakePlan(fractal.Height(), options.chunks, options.procs, options.schedule);
  setup.splitting = Now() - setup.begun;
  if (setup.plan.clamped) {
    setup.warnings.push_back("--chunks " + std::to_string(options.chunks) +
                             " is more than the grid's " + std::to_string(fractal.Height()) +
                             " rows: one row per chunk");
  }
  return setup;
}

std::string_view RunStatusName(RunStatus status) {
  switch (status) {
    case RunStatus::kDone:
      return "done";
    case RunStatus::kFailed:
      return "failed";
    case RunStatus::kMismatch:
      return "mismatch";
    case RunStatus::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

int ExitCode(RunStatus status) {
  switch (status) {
    case RunStatus::kDone:
      return 0;
    case RunStatus::kFailed:
      return 1;
    case RunStatus::kMismatch:
      return 3;
    case RunStatus::kInterrupted:
      return 130;
  }
  return 1;
}

RunResult Execute(const RunSetup& setup) {
  RunResult result = setup.options.InProcess() ? ExecuteHere(setup) : ExecuteInPool(setup);
  result.warnings.insert(result.warnings.begin(), setup.warnings.begin(), setup.warnings.end());
  return result;
}

void WriteOutput(RunSetup& setup, RunResult& result) {
  const bool whole = result.status == RunStatus::kDone;
  const bool with_gaps = result.all_answered && !result.given_up.empty() && setup.options.partial;
  if (setup.output == nullptr || !(whole || with_gaps)) return;
  const Nanoseconds begun = Now();
  const Fractal& fractal = setup.workload.fractal;
  WriteGrid(*setup.output, GridFormatOf(setup.options.output),
            {result.grid.as<std::int32_t>(), fractal.Width(), fractal.Height(),
             setup.workload.origin_lower},
            FindColormap(setup.options.colormap));
  if (InterruptRequested()) {
    result.status = RunStatus::kInterrupted;
    result.error = "interrupted while writing '" + setup.options.output + "'; it is not written";
    return;
  }
  setup.output->Commit();
  result.phases.output = Now() - begun;
}

}  // namespace procpool
