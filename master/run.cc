#include "master/run.h"

#include <unistd.h>

#include <utility>

#include <procpool/error.h>
#include "common/fault_plan.h"
#include "common/host.h"
#include "master/attendant.h"
#include "master/grid_writer.h"
#include "master/preview.h"
#include "master/run_picture.h"
#include "master/runner.h"

namespace procpool {
namespace {

// Memory of each process, seen while all of them still live.
void TakeMemory(RunResult& result) {
  result.master_memory = MemoryOf(::getpid());
  for (WorkerRow& row : result.workers) {
    if (row.pid != 0 && row.exit.empty()) row.memory = MemoryOf(row.pid);
  }
}

// The job again and again with warm workers, as timeit does. Each loop must give what the first run
// gave.
void RepeatRun(const RunSetup& setup, Runner& runner, RunResult& result) {
  const RunOptions& options = setup.options;
  for (unsigned repeat = 0; repeat < options.repeat; ++repeat) {
    Nanoseconds sum = 0;
    for (unsigned loop = 0; loop < options.loops; ++loop) {
      const RunResult again = runner.Run();
      result.retries += again.retries;
      for (const std::string& warning : again.warnings) {
        result.warnings.push_back("repeat " + std::to_string(repeat + 1) + ": " + warning);
      }
      if (again.status != RunStatus::kDone || again.checksum != result.checksum) {
        result.status = again.status == RunStatus::kDone ? RunStatus::kFailed : again.status;
        result.error =
            "in loop " + std::to_string(loop + 1) + " of repeat " + std::to_string(repeat + 1) +
            ": " +
            (again.error.empty() ? "the checksum is not that of the first run" : again.error);
        return;
      }
      sum += again.wall;
    }
    result.repeats.push_back(Seconds(sum) / options.loops);
  }
}

// Whether the grid is whole, or its gaps are wanted.
bool MayBeShown(const RunSetup& setup, const RunResult& result) {
  const bool with_gaps = result.all_answered && !result.given_up.empty() && setup.options.partial;
  return result.status == RunStatus::kDone || with_gaps;
}

}  // namespace

RunSetup Prepare(const RunOptions& options) {
  RunSetup setup{.audit = {},
                 .options = options,
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
  RequireMemory(runner::GridBytes(fractal), runner::GridText(fractal));
  if (options.payload == RowsPayload::kCoords && options.input != CoordsInput::kComputed) {
    RequireMemory(runner::GridBytes(fractal) / sizeof(std::int32_t) * (4 + kCoordsBytesPerPoint),
                  runner::GridText(fractal) + " with its coordinates");
  }
  if (!options.InProcess() && !options.worker.empty()) RequireWorkerProgram(options.worker);
  if (!options.chaos.empty()) {
    ParseFaultPlan(options.chaos);
    if (options.InProcess()) {
      throw Error(Blame::kUser, {"commit", "faults '" + options.chaos + "'",
                                 "transport " + options.transport + " has no worker processes",
                                 "use --transport pipe, queue or shm"});
    }
  }
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
  const RunOptions& options = setup.options;
  const std::unique_ptr<Runner> runner = MakeRunner(setup);
  const bool once = options.repeat == 0;
  RunResult result;
  {
    const Attendant attendant({.interrupt = [&] { runner->Interrupt(); },
                               .abort = [&] { runner->Abort(); },
                               .suspend = [&] { runner->Suspend(); },
                               .resume = [&](Nanoseconds stopped) { runner->Resume(stopped); },
                               .chunks_done = [&] { return runner->ChunksDone(); }},
                              setup.plan.chunks.size(), once && !options.quiet);
    result = runner->Run();
    TakeMemory(result);
    if (result.status == RunStatus::kDone && !once) RepeatRun(setup, *runner, result);
    runner->Close(result);
  }
  result.warnings.insert(result.warnings.begin(), setup.warnings.begin(), setup.warnings.end());
  return result;
}

void Certify(RunSetup& setup, RunResult& result) {
  if (!setup.options.audit) return;
  setup.output.reset();
  result.grid = Buffer();
  AuditedRun& run = result.audited;
  run.rows = setup.workload.fractal.Height();
  for (const GivenUpRows& rows : result.given_up) run.rows_given_up += rows.rows;
  run.complete = result.all_answered;
  result.certificate = setup.audit.Finish(run);
  if (result.certificate->Passed()) return;
  if (result.status == RunStatus::kDone) result.status = RunStatus::kFailed;
  for (const std::string& finding : result.certificate->findings)
    result.error += (result.error.empty() ? "the audit found: " : "; ") + finding;
}

void WriteOutput(RunSetup& setup, RunResult& result) {
  if (setup.output == nullptr || !MayBeShown(setup, result)) return;
  const Nanoseconds begun = Now();
  const GridFormat format = GridFormatOf(setup.options.output);
  const std::unique_ptr<Picture> picture =
      NeedsPicture(format) ? MakePicture(setup, result) : nullptr;
  const Nanoseconds prepared = picture ? Now() - begun : 0;
  OutputReport report;
  report.times = WriteGrid(*setup.output, format, GridOf(setup, result), picture.get());
  if (picture != nullptr) report.times.colouring += prepared;
  if (InterruptRequested()) {
    result.status = RunStatus::kInterrupted;
    result.error = "interrupted while writing '" + setup.options.output + "'; it is not written";
    return;
  }
  report.bytes = setup.output->size();
  report.writing = setup.output->writing();
  setup.output->Commit();
  result.phases.output = Now() - begun;
  result.output = report;
}

void Preview(const RunSetup& setup, RunResult& result, int fd) {
  if (!setup.options.preview || !MayBeShown(setup, result)) return;
  const Nanoseconds begun = Now();
  if (!InterruptRequested())
    result.preview = ShowPreview(*MakePicture(setup, result), *setup.options.preview, fd);
  result.phases.preview = Now() - begun;
  if (!InterruptRequested()) return;
  result.status = RunStatus::kInterrupted;
  result.error = "interrupted while the preview was shown";
}

}  // namespace procpool
