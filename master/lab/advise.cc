#include "master/lab/advise.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "common/channel_factory.h"
#include "common/host.h"
#include "common/log.h"
#include "master/attendant.h"
#include "master/cli_choices.h"
#include "master/lab/calibration.h"
#include "master/lab/checksum_check.h"
#include "master/lab/measuring.h"
#include "master/lab/report.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

struct AdviseOptions {
  RunOptions base;
  std::vector<std::string> transports{"shm", "pipe", "queue"};
  std::vector<Schedule> schedules{Schedule::kDynamic, Schedule::kStatic, Schedule::kGuided};
  unsigned rounds = 11;
  ReportTargets targets;
};

// A number of chunks that is run: the best of its schedule, or the default.
struct Advice {
  RunOptions options;
  bool is_default = false;
  double predicted = 0;
};

// The baselines know no chunks on the way: there is nothing to fit.
Names<std::string> ProcessTransports() {
  Names<std::string> names;
  for (const Transport& transport : Transports()) {
    names.emplace_back(transport.name, transport.name);
  }
  return names;
}

void AddOptions(CLI::App& app, AdviseOptions& options) {
  AddChoiceList(app, "--transport", options.transports, ProcessTransports(),
                "transports to advise on", "shm,pipe,queue");
  AddChoiceList(app, "--schedule", options.schedules, ScheduleChoices(), "schedules to advise on",
                "dynamic,static,guided");
  AddNumber<unsigned>(
      app, "--procs", 1, kMostProcs, [&](unsigned n) { options.base.procs = n; },
      "workers (default: CPUs this process may use)");
  AddChoice(app, "--payload", options.base.payload, PayloadChoices(), "what travels to the workers",
            "rows");
  AddChoice(app, "--input", options.base.input, InputChoices(),
            "where coordinates lie before the job begins", "computed");
  AddChoice(app, "--codec", options.base.codec, CodecChoices(), "how a payload becomes bytes",
            "raw");
  AddChoice(app, "--kernel", options.base.kernel, KernelChoices(), "how a point is computed",
            "auto");
  AddNumber<unsigned>(
      app, "--rounds", 1, 1'000'000, [&](unsigned n) { options.rounds = n; },
      "measured runs of each advice (default: 11)");
  AddName(app, "--worker", options.base.worker, "worker program")->type_name("PATH");
  AddWorkloadOptions(app, options.base);
  AddReportOptions(app, options.targets);
}

Table CostTable(const std::vector<std::string>& transports,
                const std::map<std::string, Calibration>& calibrations) {
  Table table{.name = "costs",
              .title = "what a chunk costs a worker: a + b x bytes + c x steps",
              .columns = {{"transport", "transport", false},
                          {"a, a chunk", "per_chunk_seconds"},
                          {"b, a MiB", "per_byte_seconds"},
                          {"c, a million steps", "per_step_seconds"},
                          {"master, a chunk", "master_per_chunk_seconds"},
                          {"once a run", "fixed_seconds"},
                          {"error of a chunk", "median_error"},
                          {"chunks seen", "samples"}}};
  constexpr double kMebi = 1024.0 * 1024.0;
  for (const std::string& transport : transports) {
    const Calibration& c = calibrations.at(transport);
    table.AddRow({{transport, transport},
                  {DurationText(c.model.per_chunk), c.model.per_chunk},
                  {DurationText(c.model.per_byte * kMebi), c.model.per_byte},
                  {DurationText(c.model.per_unit * 1e6), c.model.per_unit},
                  {DurationText(c.master_per_chunk), c.master_per_chunk},
                  {DurationText(c.master_once + c.fixed), c.master_once + c.fixed},
                  {Digits(100 * c.model.error, 2) + " %", c.model.error},
                  {std::to_string(c.samples), static_cast<std::int64_t>(c.samples)}});
  }
  return table;
}

Table AdviceTable(const std::vector<Advice>& advice, const Measured& measured) {
  Table table{.name = "advice",
              .title = "the best number of chunks by prediction, and the default; " +
                       std::to_string(measured.control.size()) + " rounds, median [95 % interval]",
              .columns = {{"transport", "transport", false},
                          {"schedule", "schedule", false},
                          {"chunks", "chunks"},
                          {"", "is_default"},
                          {"predicted, ms", "predicted_seconds"},
                          {"measured, ms", "measured_seconds"},
                          {"", "measured_low_seconds"},
                          {"", "measured_high_seconds"},
                          {"", "measured_samples_seconds"},
                          {"measured / predicted", "ratio"}}};
  for (std::size_t index = 0; index < advice.size(); ++index) {
    const Advice& one = advice[index];
    const std::vector<double> walls = measured.series[index].Walls();
    const Interval wall = MedianInterval(walls);
    table.AddRow({{one.options.transport, one.options.transport},
                  {std::string(ScheduleName(one.options.schedule)),
                   std::string(ScheduleName(one.options.schedule))},
                  {std::to_string(one.options.chunks) + (one.is_default ? " (default)" : ""),
                   static_cast<std::int64_t>(one.options.chunks)},
                  {"", one.is_default},
                  {Digits(one.predicted * 1e3), one.predicted},
                  {Digits(wall.estimate * 1e3) + " [" + Digits(wall.low * 1e3) + ", " +
                       Digits(wall.high * 1e3) + "]",
                   wall.estimate},
                  {"", wall.low},
                  {"", wall.high},
                  {"", walls},
                  {Digits(wall.estimate / one.predicted), wall.estimate / one.predicted}});
  }
  return table;
}

// Of the predictions that are as good as the best, the one closest to the default: a prediction
// cannot tell them apart.
constexpr double kAsGood = 1.01;

std::uint64_t BestChunks(const RunOptions& run, const Calibration& calibration,
                         std::uint64_t by_default) {
  std::vector<std::uint64_t> ladder = ChunkLadder(run.procs, calibration.work_before.size() - 1);
  ladder.push_back(by_default);
  std::vector<double> predicted;
  predicted.reserve(ladder.size());
  for (const std::uint64_t chunks : ladder) predicted.push_back(calibration.Predict(run, chunks));
  const double least = *std::ranges::min_element(predicted);
  const auto distance = [&](std::uint64_t chunks) {
    return std::abs(std::log(static_cast<double>(chunks) / static_cast<double>(by_default)));
  };
  std::uint64_t best = 0;
  for (std::size_t index = 0; index < ladder.size(); ++index) {
    if (predicted[index] > kAsGood * least) continue;
    if (best == 0 || distance(ladder[index]) < distance(best)) best = ladder[index];
  }
  return best;
}

std::vector<Advice> AdviceFor(const AdviseOptions& options, const RunOptions& run,
                              const Calibration& calibration) {
  std::vector<Advice> advice;
  const std::uint64_t rows = calibration.work_before.size() - 1;
  const std::uint64_t by_default = std::min<std::uint64_t>(kChunksPerWorker * run.procs, rows);
  for (const Schedule schedule : options.schedules) {
    Advice one{.options = run};
    one.options.schedule = schedule;
    const std::uint64_t best = BestChunks(one.options, calibration, by_default);
    for (const std::uint64_t chunks : {best, by_default}) {
      one.options.chunks = chunks;
      one.predicted = calibration.Predict(one.options, chunks);
      one.is_default = chunks == by_default;
      advice.push_back(one);
      if (best == by_default) break;
    }
  }
  return advice;
}

int Run(AdviseOptions options) {
  StartLog("master", "warning");
  if (options.base.procs == 0) options.base.procs = std::min(UsableCpus(), kMostProcs);
  ReportOutput output(options.targets);
  std::map<std::string, Calibration> calibrations;
  std::vector<Advice> advice;
  for (const std::string& transport : options.transports) {
    RunOptions run = options.base;
    run.transport = transport;
    const Calibration& calibration =
        calibrations.insert_or_assign(transport, Calibrate(run)).first->second;
    for (Advice& one : AdviceFor(options, run, calibration)) advice.push_back(std::move(one));
  }
  // Until here a signal ends the program as usual, and the workers with it.
  BlockAttendedSignals();
  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.reserve(advice.size());
  for (const Advice& one : advice) {
    contenders.push_back(MakeContender(one.options, Temperature::kWarm));
  }
  ChecksumCheck check(options.base);
  const Measured measured = MeasureInRounds(
      contenders, 1, options.rounds, !options.targets.quiet,
      [&](std::size_t index, const Measurement& measurement) {
        check.Require(advice[index].options.transport, options.base.kernel == "none", measurement);
      });
  if (measured.control.empty()) {
    std::fprintf(stderr, "master: interrupted before a round was complete\n");
    return ExitCode(RunStatus::kInterrupted);
  }
  Report report{.command = "advise"};
  report.settings = {{"workload", options.base.workload},
                     {"procs", std::int64_t{options.base.procs}},
                     {"payload", std::string(PayloadName(options.base.payload))},
                     {"kernel", options.base.kernel},
                     {"rounds", static_cast<std::int64_t>(measured.control.size())},
                     {"interrupted", measured.interrupted}};
  report.tables = {CostTable(options.transports, calibrations), AdviceTable(advice, measured)};
  report.warnings = MachineWarnings(measured, options.base.procs, 0);
  if (measured.control.size() < 6) {
    report.warnings.push_back(
        "with fewer than 6 rounds the intervals are from the least to the greatest");
  }
  output.Write(report);
  return ExitCode(measured.interrupted ? RunStatus::kInterrupted : RunStatus::kDone);
}

}  // namespace

Subcommand AdviseCommand() {
  return {"advise", "how many chunks a job should have, predicted and tried", [](CLI::App& app) {
            const auto options = std::make_shared<AdviseOptions>();
            AddOptions(app, *options);
            return [options] {
              try {
                return Run(*options);
              } catch (const ChecksumMismatch& mismatch) {
                std::fprintf(stderr, "master: %s\n", mismatch.what());
                return ExitCode(RunStatus::kMismatch);
              }
            };
          }};
}

}  // namespace procpool
