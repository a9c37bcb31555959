// The job over a pool of worker processes.
#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include <procpool/error.h>
#include "common/codec.h"
#include "master/given_up_rows.h"
#include "master/prepared_coords.h"
#include "master/rows_job.h"
#include "master/runner.h"

namespace procpool {
namespace {

constexpr Nanoseconds kReadyDeadline = 60 * kSecond;

RunResult ResultOf(JobReport report, const RowsJob& job, const RunSetup& setup) {
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
  result.budget = std::move(report.budget);
  result.traffic = report.traffic;
  result.audited = {.chunks_done = report.items_done,
                    .attempts = report.attempts,
                    .answers_refused = report.refused};
  result.given_up = GivenUpRowsOf(report.given_up, job.chunks());
  if (!result.given_up.empty()) {
    // What else ended the job, if anything did, is said first.
    result.error = report.all_answered ? "" : result.error + "; ";
    result.error += "rows were given up:";
    for (const GivenUpRows& rows : result.given_up) {
      result.error += " " + RowsText({0, rows.first_row, rows.rows}) + " (" + rows.reason + ")";
    }
  }
  if (result.status == RunStatus::kInterrupted) {
    result.error = "interrupted after " + std::to_string(job.planned_done()) + " of " +
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

class PoolRunner final : public Runner {
 public:
  // The pool begins to spawn before the grid exists: a small parent spawns fastest.
  explicit PoolRunner(const RunSetup& setup)
      : setup_(setup),
        begun_(Now()),
        pool_({.procs = setup.options.procs,
               .transport = setup.options.transport,
               .worker_program = setup.options.worker,
               .spawn = setup.options.spawn,
               .wait = setup.options.wait,
               .ready_deadline = static_cast<Nanoseconds>(setup.options.ready_timeout * kSecond),
               .grace = static_cast<Nanoseconds>(setup.options.grace * kSecond),
               .log_level = setup.options.log_level,
               .max_restarts = setup.options.max_restarts,
               .restart_window = static_cast<Nanoseconds>(setup.options.restart_window * kSecond),
               .faults = setup.options.chaos}),
        grid_(pool_.Allocate(runner::GridBytes(fractal()), runner::GridText(fractal()))) {
    if (setup.options.payload == RowsPayload::kCoords &&
        setup.options.input != CoordsInput::kComputed) {
      prepared_ = PrepareCoords(fractal(), setup.plan, [&](std::size_t bytes) {
        return setup.options.input == CoordsInput::kShared ? pool_.Allocate(bytes, "coordinates")
                                                           : Buffer::Private(bytes);
      });
    }
  }

  RunResult Run() override {
    const bool cold = std::exchange(cold_, false);
    if (!cold) runner::SpoilRows(grid_, fractal());
    const Nanoseconds begun = cold ? begun_ : Now();
    const RunOptions& options = setup_.options;
    RowsJob job(fractal(), setup_.plan, grid_,
                {.kernel = setup_.kernel.name,
                 .payload = options.payload,
                 .codec = FindCodec(options.codec)->id,
                 .prepared = prepared_.bytes().empty() ? nullptr : &prepared_,
                 .copy_prepared = pool_.transport().shares_memory && prepared_.region_id() == 0,
                 .timed = options.times,
                 .allocate = [this](std::size_t bytes) { return Allocate(bytes); }});
    JobReport report =
        pool_.Run(job, {.timeout = static_cast<Nanoseconds>(options.timeout * kSecond),
                        .most_deaths = options.retries,
                        .most_tasks_per_worker = options.max_chunks_per_worker,
                        .accounted_from = begun});
    tallies_ = std::move(report.tallies);
    recoveries_.insert(recoveries_.end(), report.recoveries.begin(), report.recoveries.end());
    RunResult result = ResultOf(std::move(report), job, setup_);
    const Nanoseconds finished = Now();
    result.wall = finished - begun;
    if (result.budget) result.budget->ExtendTo(finished);
    payloads_ = job.TakeBuffers();
    result.audited.rows_delivered = job.rows_delivered();
    result.placements = job.Placements(begun, finished);
    const std::vector<SpawnRecord> records = pool_.Records();
    FillRows(records, result);
    if (cold) result.phases.spawn = SpawnTime(records, begun);
    result.wait = WaitModeName(pool_.wait_mode());
    result.phases.split = setup_.splitting + job.splitting();
    result.phases.assemble = job.assembling();
    result.has_checksum = job.assembly().AllRowsIn();
    result.checksum = job.assembly().checksum();
    result.grid = grid_;
    return result;
  }

  void WaitUntilReady() override {
    const Deadline deadline = Deadline::After(kReadyDeadline);
    const auto a_moment = [] { return Deadline::After(100 * kMillisecond); };
    while (!pool_.WaitUntilReady(a_moment())) {
      if (interrupted_) {
        throw Error(Blame::kMachine, {"start", "the workers", "interrupted", "start again"});
      }
      CheckStart();
      if (deadline.Passed()) {
        throw Error(Blame::kMachine, {"start", "the workers", "they were not ready in a minute",
                                      "use fewer workers, or look at the log"});
      }
    }
    cold_ = false;
  }

  std::vector<pid_t> WorkerPids() override {
    std::vector<pid_t> pids;
    for (const SpawnRecord& record : pool_.Records()) {
      if (record.exit.empty()) pids.push_back(record.pid);
    }
    return pids;
  }

  void Rest() override {
    if (pool_.wait_mode() == WaitMode::kSpin) pool_.Suspend();
  }
  void Wake() override {
    if (pool_.wait_mode() == WaitMode::kSpin) pool_.Resume(0);
  }

  void Close(RunResult& last) override {
    const Nanoseconds stopping = Now();
    pool_.Close();
    last.phases.stop = Now() - stopping;
    const std::vector<SpawnRecord> records = pool_.Records();
    for (std::size_t row = 0; row < last.workers.size(); ++row) {
      last.workers[row].exit = records[row].exit;
    }
    last.audited.processes_spawned = records.size();
    last.audited.processes_reaped = static_cast<std::size_t>(std::ranges::count_if(
        records, [](const SpawnRecord& record) { return record.ended != 0; }));
    const std::string& faults = setup_.options.chaos;
    if (!faults.empty()) last.chaos = MakeChaosReport(faults, records, recoveries_);
  }

  void Interrupt() override {
    interrupted_ = true;
    pool_.Interrupt();
  }
  void Abort() override { pool_.Abort(); }
  void Suspend() override { pool_.Suspend(); }
  void Resume(Nanoseconds stopped) override { pool_.Resume(stopped); }
  std::uint64_t ChunksDone() const override { return pool_.ItemsDone(); }

 private:
  const Fractal& fractal() const { return setup_.workload.fractal; }

  // Throws if a worker cannot come any more.
  void CheckStart() {
    if (pool_.CanBecomeReady()) return;  // one that failed is tried again
    const std::vector<SpawnRecord> records = pool_.Records();
    for (const SpawnRecord& record : records) {
      if (record.exit.empty() || record.ready != 0) continue;
      const std::string& program = setup_.options.worker;
      throw Error(
          Blame::kUser,
          {"start", "worker program '" + (program.empty() ? DefaultWorkerProgram() : program) + "'",
           "it ended before it was ready, " + record.exit,
           "give the worker of this build with --worker PATH"});
    }
    throw Error(Blame::kMachine, {"start", std::to_string(setup_.options.procs) + " workers",
                                  "the machine does not let so many be started; the log says why",
                                  "use fewer workers, or raise the limits (ulimit -n, ulimit -u)"});
  }

  // Memory of the last job's payloads is used again: its pages are there already.
  Buffer Allocate(std::size_t bytes) {
    if (!payloads_.empty() && payloads_.back().bytes().size() >= bytes) {
      Buffer buffer = std::move(payloads_.back());
      payloads_.pop_back();
      return buffer;
    }
    return pool_.Allocate(bytes, "payload of a chunk");
  }

  void FillRows(const std::vector<SpawnRecord>& records, RunResult& result) const {
    result.workers = WorkerRows(records, tallies_);
    for (const WorkerRow& row : result.workers) {
      result.phases.compute += row.compute;
      result.phases.compute_cpu += row.compute_cpu;
    }
  }

  const RunSetup& setup_;
  Nanoseconds begun_;
  bool cold_ = true;
  std::atomic<bool> interrupted_{false};
  WorkerPool pool_;
  Buffer grid_;
  Buffer prepared_;
  std::vector<Buffer> payloads_;
  std::vector<WorkerTally> tallies_;
  std::vector<Recovery> recoveries_;  // of all runs
};

}  // namespace

namespace runner {
std::unique_ptr<Runner> MakePoolRunner(const RunSetup& setup) {
  return std::make_unique<PoolRunner>(setup);
}
}  // namespace runner

}  // namespace procpool
