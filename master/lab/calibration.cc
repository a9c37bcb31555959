#include "master/lab/calibration.h"

#include <algorithm>
#include <memory>

#include <procpool/error.h>
#include "common/host.h"
#include "common/wire.h"
#include "master/lab/statistics.h"
#include "master/runner.h"
#include "master/thread_team.h"

namespace procpool {
namespace {

constexpr unsigned kRunsOfEach = 5;
constexpr std::uint64_t kMostLearned = 1024;

// What one calibrating run said.
struct Learned {
  std::uint64_t chunks = 0;
  double wall = 0;
  double master = 0;
};

// Steps of iteration in the rows before each row. Counted by the job itself with one change: a
// point that never escapes counts all steps, which some workloads write as 0.
std::vector<double> WorkBefore(const Workload& workload, const Kernel& kernel) {
  Fractal fractal = workload.fractal;
  fractal.never = NeverValue::kMaxIterations;
  std::vector<double> before(fractal.Height() + 1, 0);
  if (kernel.name == "none") return before;
  const Plan plan =
      MakePlan(fractal.Height(), 8ULL * UsableCpus(), UsableCpus(), Schedule::kDynamic);
  const Buffer grid = Buffer::Private(runner::GridBytes(fractal));
  ThreadTeam(UsableCpus()).Run({fractal, kernel, RowsPayload::kRows, plan, grid});
  const double of_the_test = fractal.test == TestPlace::kAfterStep ? 1 : 0;
  const std::span<const std::int32_t> counts = grid.as<std::int32_t>();
  for (std::size_t row = 0; row < fractal.Height(); ++row) {
    double work = before[row];
    for (const std::int32_t count : counts.subspan(row * fractal.Width(), fractal.Width())) {
      work += count + of_the_test;
    }
    before[row + 1] = work;
  }
  return before;
}

double At(const Journey& journey, JourneyStage stage) {
  return Seconds(journey[static_cast<std::size_t>(stage)]);
}

// How long the workers were busy with each chunk of one plan, in several runs of it.
class ChunkTimes {
 public:
  explicit ChunkTimes(std::size_t chunks) : seconds_(chunks) {}

  void Add(const Budget& budget) {
    using enum JourneyStage;
    double sent_in_task = 0;
    for (std::size_t index = 0; index < budget.journeys.size(); ++index) {
      const Journey& journey = budget.journeys[index];
      double busy = 0;
      for (const JourneyStage stage :
           {kReceive, kDecode, kComputeRunning, kResultEncode, kResultSend}) {
        busy += At(journey, stage);
      }
      seconds_[budget.journey_items[index]].push_back(busy);
      sent_in_task += At(journey, kResultSend);
    }
    // What a worker did after the task had ended (hashing and sending the result) is known for all
    // chunks of a run together only; each gets the mean.
    const BudgetLine total = budget.Total();
    const auto of = [&](BudgetPart part) { return Seconds(total[static_cast<std::size_t>(part)]); };
    afterwards_.push_back(
        std::max(0.0, of(BudgetPart::kResultSend) - sent_in_task + of(BudgetPart::kWakeUp)) /
        static_cast<double>(seconds_.size()));
  }

  /// Medians over the runs: one run that was disturbed says nothing about the chunk.
  void AddSamples(const std::vector<ChunkCost>& costs, std::vector<ChunkSample>& samples) const {
    const double afterwards = Median(afterwards_);
    for (std::size_t chunk = 0; chunk < seconds_.size(); ++chunk) {
      if (seconds_[chunk].empty()) continue;
      samples.push_back({costs[chunk], Median(seconds_[chunk]) + afterwards});
    }
  }

 private:
  std::vector<std::vector<double>> seconds_;
  std::vector<double> afterwards_;
};

double MasterTime(const MasterTimes& times) {
  return Seconds(times.encode + times.post + times.send + times.receive + times.decode +
                 times.placing);
}

RunResult RunOrThrow(Runner& runner, const RunOptions& options) {
  RunResult result = runner.Run();
  if (result.status != RunStatus::kDone) {
    throw Error(Blame::kMachine, {"measure", options.transport, result.error, "see the log"});
  }
  return result;
}

std::vector<ChunkCost> Costs(const Calibration& calibration, const Plan& plan) {
  return CostsOf(plan, calibration.work_before, calibration.bytes_per_row,
                 calibration.bytes_per_chunk);
}

}  // namespace

std::vector<std::uint64_t> ChunkLadder(unsigned procs, std::uint64_t rows) {
  std::vector<std::uint64_t> ladder;
  for (std::uint64_t step = 1; step * procs <= rows; step *= 2) {
    ladder.push_back(step * procs);
    if (step >= 2 && step / 2 * 3 * procs <= rows) ladder.push_back(step / 2 * 3 * procs);
  }
  if (ladder.empty()) ladder.push_back(rows);
  std::ranges::sort(ladder);
  ladder.erase(std::unique(ladder.begin(), ladder.end()), ladder.end());
  return ladder;
}

double Calibration::Predict(const RunOptions& options, std::uint64_t chunk_count) const {
  const Plan plan = MakePlan(work_before.size() - 1, chunk_count, options.procs, options.schedule);
  std::vector<double> seconds;
  double sum = 0;
  for (const ChunkCost& cost : Costs(*this, plan)) {
    seconds.push_back(model.SecondsOf(cost));
    sum += seconds.back();
  }
  const double master = master_once + master_per_chunk * static_cast<double>(plan.chunks.size());
  const unsigned cpus = UsableCpus();
  // The master needs a CPU too: neither it nor all together can be faster than the CPUs there are.
  const double shared = (sum + master) / std::min(cpus, options.procs + 1);
  return fixed +
         std::max({SimulateWorkers(seconds, plan.owners, options.procs, cpus), master, shared});
}

Calibration Calibrate(const RunOptions& options) {
  Calibration calibration;
  std::vector<ChunkSample> samples;
  std::vector<Learned> learned;
  RunOptions run = options;
  run.times = true;
  run.schedule = Schedule::kDynamic;
  const RunSetup first = Prepare(run);
  const Fractal& fractal = first.workload.fractal;
  const double coords = run.payload == RowsPayload::kCoords ? kCoordsBytesPerPoint : 0;
  calibration.bytes_per_row = (coords + sizeof(std::int32_t)) * fractal.Width();
  calibration.bytes_per_chunk = 2 * sizeof(FrameHeader) + sizeof(ItemAnnex) + sizeof(ResultAnnex);

  calibration.work_before = WorkBefore(first.workload, first.kernel);

  std::uint64_t last = 0;
  for (const std::uint64_t chunks : ChunkLadder(run.procs, fractal.Height())) {
    if (chunks > kMostLearned || chunks < 2 * last) continue;  // every other step will do
    last = chunks;
    run.chunks = chunks;
    const RunSetup setup = Prepare(run);
    const std::unique_ptr<Runner> runner = MakeRunner(setup);
    runner->WaitUntilReady();
    RunOrThrow(*runner, run);
    ChunkTimes times(setup.plan.chunks.size());
    for (unsigned again = 0; again < kRunsOfEach; ++again) {
      const RunResult result = RunOrThrow(*runner, run);
      times.Add(*result.budget);
      learned.push_back({chunks, Seconds(result.wall), MasterTime(result.budget->master)});
    }
    times.AddSamples(Costs(calibration, setup.plan), samples);
    calibration.chunks.push_back(chunks);
  }
  constexpr std::size_t kLeastSamples = 6;
  if (samples.size() < kLeastSamples) {
    throw Error(Blame::kUser,
                {"advise on", "workload '" + options.workload + "'",
                 "it has too few rows to learn what a chunk costs", "give it more with --height"});
  }
  calibration.model = FitCost(samples);
  calibration.samples = samples.size();

  std::vector<std::vector<double>> x;
  std::vector<double> y;
  for (const Learned& one : learned) {
    x.push_back({static_cast<double>(one.chunks), 1});
    y.push_back(one.master);
  }
  if (calibration.chunks.size() > 1) {
    const std::vector<double> line = LeastSquares(x, y);
    calibration.master_per_chunk = std::max(0.0, line[0]);
    calibration.master_once = std::max(0.0, line[1]);
  }
  std::vector<double> unexplained;
  unexplained.reserve(learned.size());
  for (const Learned& one : learned) {
    unexplained.push_back(one.wall - calibration.Predict(run, one.chunks));
  }
  calibration.fixed = Median(unexplained);
  return calibration;
}

}  // namespace procpool
