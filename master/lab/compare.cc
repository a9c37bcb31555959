#include "master/lab/compare.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include <procpool/error.h>
#include "common/host.h"
#include "common/log.h"
#include "master/attendant.h"
#include "master/cli_choices.h"
#include "master/lab/checksum_check.h"
#include "master/lab/compare_report.h"
#include "master/lab/measuring.h"

namespace procpool {
namespace {

void AddOptions(CLI::App& app, CompareOptions& options) {
  AddChoiceList(app, "--transport", options.transports, TransportChoices(), "ways to compare",
                "threads,shm,pipe,queue,serial");
  AddNumberList<unsigned>(app, "--procs", options.procs, 1, kMostProcs, "workers",
                          "CPUs this process may use");
  AddNumberList<std::uint64_t>(app, "--chunks", options.chunks, 1, kMostChunks, "chunks of rows",
                               "8 per worker");
  AddChoiceList(app, "--schedule", options.schedules, ScheduleChoices(), "who gets which chunk",
                "dynamic");
  AddChoiceList(app, "--payload", options.payloads, PayloadChoices(), "what travels to the workers",
                "rows");
  AddChoiceList(app, "--input", options.inputs, InputChoices(),
                "where coordinates lie before the job begins", "computed");
  AddChoiceList(app, "--codec", options.codecs, CodecChoices(), "how a payload becomes bytes",
                "raw");
  AddChoiceList(app, "--kernel", options.kernels, KernelChoices(), "how a point is computed",
                "auto");
  AddChoiceList(app, "--wait", options.waits, WaitChoices(), "how a side waits for the other",
                "auto");
  AddChoiceList(app, "--times", options.times, Names<bool>{{"on", true}, {"off", false}},
                "whether chunks carry their times", "on");
  AddChoiceList(app, "--start", options.starts,
                Names<Temperature>{{"warm", Temperature::kWarm}, {"cold", Temperature::kCold}},
                "workers that wait for the job, or are made for each run", "warm");
  AddNumber<unsigned>(
      app, "--rounds", 1, 1'000'000, [&](unsigned n) { options.rounds = n; },
      "measured runs of each (default: 21)");
  AddNumber<unsigned>(
      app, "--warm-up", 0, 1000, [&](unsigned n) { options.warm_up = n; },
      "runs of each before (default: 1)");
  AddName(app, "--worker", options.base.worker, "worker program")->type_name("PATH");
  app.add_flag("--peers", options.peers,
               "other systems as well: multiprocessing.Pool, concurrent.futures, OpenMP, MPI");
  AddName(app, "--peers-directory", options.peers_directory,
          "where their programs are (default: tests/peers of the source tree)")
      ->type_name("PATH");
  AddWorkloadOptions(app, options.base);
  AddReportOptions(app, options.targets);
}

// What happened to workers in single runs; their times are in the samples.
void AddRunWarnings(const std::vector<Variant>& variants, const Measured& measured,
                    std::vector<std::string>& warnings) {
  for (std::size_t index = 0; index < variants.size(); ++index) {
    const Series& series = measured.series[index];
    for (std::size_t run = 0; run < series.measurements.size(); ++run) {
      for (const std::string& warning : series.measurements[run].warnings) {
        warnings.push_back(variants[index].Name() + ", round " +
                           std::to_string(series.rounds[run] + 1) + ": " + warning);
      }
    }
  }
}

Report MakeReport(const CompareOptions& options, const std::vector<Variant>& variants,
                  const Measured& measured) {
  Report report{.command = "compare"};
  report.settings = {{"workload", options.base.workload},
                     {"rounds", static_cast<std::int64_t>(measured.control.size())},
                     {"warm_up", std::int64_t{options.warm_up}},
                     {"control_seconds", measured.control},
                     {"interrupted", measured.interrupted}};
  report.tables.push_back(CompareTable(options, variants, measured));
  for (std::size_t index = 0; index < variants.size(); ++index) {
    if (const std::string& missing = measured.series[index].missing; !missing.empty()) {
      report.warnings.push_back(variants[index].Name() + " is not in the table: " + missing);
    }
  }
  std::size_t most_procs = 0;
  double least_wall = 0;
  for (std::size_t index = 0; index < variants.size(); ++index) {
    most_procs = std::max<std::size_t>(most_procs, variants[index].options.procs);
    for (const Measurement& measurement : measured.series[index].measurements) {
      least_wall = least_wall == 0 ? measurement.wall : std::min(least_wall, measurement.wall);
    }
  }
  AddRunWarnings(variants, measured, report.warnings);
  for (std::string& warning : MachineWarnings(measured, most_procs, least_wall)) {
    report.warnings.push_back(std::move(warning));
  }
  if (measured.control.size() < 6) {
    report.warnings.push_back(
        "with fewer than 6 rounds the intervals are from the least to the "
        "greatest, and no difference can be detected; give more --rounds");
  }
  return report;
}

// Beside this program lie the built peers; the source tree is where ./run puts the build into.
std::vector<PeerProgram> FindPeers(const std::string& directory) {
  const std::filesystem::path binaries =
      std::filesystem::path(DefaultWorkerProgram()).parent_path();
  const std::filesystem::path scripts =
      directory.empty() ? binaries / "../../../tests/peers" : std::filesystem::path(directory);
  if (!std::filesystem::is_directory(scripts)) {
    throw Error(Blame::kUser, {"find", "the peers in '" + scripts.lexically_normal().string() + "'",
                               "there is no such directory",
                               "give tests/peers of the source tree with --peers-directory"});
  }
  return KnownPeers(scripts.lexically_normal().string(), binaries.string());
}

int Run(CompareOptions options) {
  BlockAttendedSignals();
  StartLog("master", "warning");
  if (options.procs.empty()) options.procs = {std::min(UsableCpus(), kMostProcs)};
  ReportOutput output(options.targets);
  std::vector<PeerProgram> peers;
  if (options.peers) peers = FindPeers(options.peers_directory);
  const std::vector<Variant> variants = VariantsOf(options, peers);
  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.reserve(variants.size());
  for (const Variant& variant : variants) {
    contenders.push_back(variant.peer ? MakePeerContender(*variant.peer, variant.options)
                                      : MakeContender(variant.options, variant.start));
  }
  ChecksumCheck check(options.base);
  const auto check_one = [&](std::size_t index, const Measurement& measurement) {
    check.Require(variants[index].Name(), variants[index].options.kernel == "none", measurement);
  };
  Measured measured;
  try {
    measured = MeasureInRounds(contenders, options.warm_up, options.rounds, !options.targets.quiet,
                               check_one);
  } catch (const ChecksumMismatch& mismatch) {
    std::fprintf(stderr, "master: %s\n", mismatch.what());
    return ExitCode(RunStatus::kMismatch);
  }
  if (measured.control.empty()) {
    std::fprintf(stderr, "master: interrupted before a round was complete\n");
  } else {
    output.Write(MakeReport(options, variants, measured));
  }
  return ExitCode(measured.interrupted ? RunStatus::kInterrupted : RunStatus::kDone);
}

}  // namespace

Subcommand CompareCommand() {
  return {"compare", "the same job in several ways, measured side by side", [](CLI::App& app) {
            const auto options = std::make_shared<CompareOptions>();
            AddOptions(app, *options);
            return [options] { return Run(*options); };
          }};
}

}  // namespace procpool
