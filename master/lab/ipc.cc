#include "master/lab/ipc.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "common/host.h"
#include "common/log.h"
#include "master/lab/ipc_contenders.h"
#include "master/lab/ipc_measure.h"
#include "master/lab/ipc_options.h"
#include "master/lab/ipc_report.h"
#include "master/lab/measuring.h"
#include "master/lab/null_tasks.h"
#include "master/lab/placement.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

// One rewritten line on a terminal; nothing elsewhere.
class Progress {
 public:
  explicit Progress(bool quiet) : shown_(!quiet && ::isatty(STDERR_FILENO) == 1) {}
  ~Progress() { Say(""); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Say(const std::string& what) const {
    if (shown_) std::fprintf(stderr, "\r\033[K%s", what.c_str());
  }

 private:
  bool shown_;
};

Value Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

std::vector<std::pair<std::string, Value>> SettingsOf(const IpcOptions& options) {
  std::vector<std::string> waits;
  for (const WaitMode wait : options.waits) waits.emplace_back(WaitModeName(wait));
  return {{"transports", Joined(options.transports)},
          {"waits", Joined(waits)},
          {"sizes", std::vector<double>(options.sizes.begin(), options.sizes.end())},
          {"rounds", std::int64_t{options.rounds}},
          {"messages", static_cast<std::int64_t>(options.messages)},
          {"rates", options.rates},
          {"rate_bytes", static_cast<std::int64_t>(kRateBytes)},
          {"procs", std::int64_t{options.procs}},
          {"tasks", static_cast<std::int64_t>(options.tasks)}};
}

void MeasureMessages(const IpcOptions& options, const Progress& progress, Report& report) {
  const double floor = ClockFloor();
  IpcContenders contenders = MakeContenders(options);
  const Placement placement(options.place);
  for (const IpcContender& contender : contenders.all) placement.Put(contender.link->peer());
  report.settings.emplace_back("place", placement.Text());
  Table latency = LatencyTable(options.samples);
  Table throughput = ThroughputTable();
  Table rates = RateTable(options.samples);
  for (const std::size_t bytes : options.sizes) {
    const std::string size = BytesText(static_cast<double>(bytes));
    if (options.Wants(IpcPart::kLatency)) {
      progress.Say("round trips of " + size);
      const std::vector<IpcSeries> series = MeasureLatency(contenders, options, bytes);
      AddLatencyRows(latency, contenders, series, bytes);
      WarnOfNoise(report.warnings, contenders, series, bytes, floor);
    }
    if (options.Wants(IpcPart::kThroughput)) {
      progress.Say("streams of " + size);
      AddThroughputRows(throughput, contenders, MeasureThroughput(contenders, options, bytes),
                        bytes);
    }
  }
  for (const double rate : options.rates) {
    if (!options.Wants(IpcPart::kRate)) break;
    progress.Say(Digits(rate) + " messages a second");
    AddRateRows(rates, contenders, MeasureAtRate(contenders, options, kRateBytes, rate), kRateBytes,
                rate);
  }
  const double loop = Median(TimeRoundTrips(*contenders.Named("empty loop").link, 0, 10'000));
  if (!latency.rows.empty()) report.tables.push_back(std::move(latency));
  if (!throughput.rows.empty()) report.tables.push_back(std::move(throughput));
  if (!rates.rows.empty()) report.tables.push_back(std::move(rates));
  report.tables.push_back(ControlsTable(floor, loop));
}

int RunIpc(IpcOptions options) {
  StartLog("master", "warning");
  std::signal(SIGPIPE, SIG_IGN);  // a write to a peer that has died is an error code
  if (options.worker.empty()) options.worker = DefaultWorkerProgram();
  RequireWorkerProgram(options.worker);
  std::ranges::sort(options.sizes);
  ReportOutput output(options.targets);
  Report report{.command = "ipc",
                .settings = SettingsOf(options),
                .warnings = WarningsOf(options, UsableCpus())};
  {
    const Progress progress(options.targets.quiet);
    // First what forks; the pool has threads.
    MeasureMessages(options, progress, report);
    if (options.Wants(IpcPart::kTasks)) {
      progress.Say("null tasks");
      report.tables.push_back(NullTasksTable(MeasureNullTasks(options)));
    }
  }
  output.Write(report);
  return 0;
}

}  // namespace

Subcommand IpcCommand() {
  return {"ipc", "measure the transports and the raw primitives below them", [](CLI::App& app) {
            const auto options = std::make_shared<IpcOptions>();
            AddIpcOptions(app, *options);
            return std::function<int()>([options] { return RunIpc(*options); });
          }};
}

}  // namespace procpool
