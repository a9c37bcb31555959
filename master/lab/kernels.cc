#include "master/lab/kernels.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include <procpool/error.h>
#include "common/log.h"
#include "master/attendant.h"
#include "master/cli_choices.h"
#include "master/lab/checksum_check.h"
#include "master/lab/kernel_contender.h"
#include "master/lab/measuring.h"
#include "master/lab/report.h"
#include "master/lab/statistics.h"

namespace procpool {
namespace {

struct KernelsOptions {
  RunOptions base;  ///< its workload
  std::vector<std::string> kernels;
  unsigned rounds = 11;
  unsigned warm_up = 1;
  ReportTargets targets;
};

void AddOptions(CLI::App& app, KernelsOptions& options) {
  AddChoiceList(app, "--kernel", options.kernels, KernelChoices(), "kernels to compare",
                "all but none");
  AddNumber<unsigned>(
      app, "--rounds", 1, 1'000'000, [&](unsigned n) { options.rounds = n; },
      "measured runs of each (default: 11)");
  AddWorkloadOptions(app, options.base);
  AddReportOptions(app, options.targets);
}

// Those that were asked for, each once, by their own names; the reference first.
std::vector<Kernel> KernelsOf(const std::vector<std::string>& names) {
  std::vector<Kernel> kernels;
  for (const Kernel& kernel : Kernels()) {
    const bool wanted =
        names.empty() ? kernel.name != "none" : std::ranges::any_of(names, [&](const auto& name) {
          return FindKernel(name)->name == kernel.name;
        });
    if (wanted) kernels.push_back(kernel);
  }
  return kernels;
}

// A kernel without an instruction set of its own is compiled for that of every x86-64.
const Kernel* CeilingOf(const Kernel& kernel) {
  return kernel.unchecked != nullptr ? FindKernel(kernel.name) : FindKernel("simd:sse2");
}

struct Rows {
  std::vector<Kernel> kernels;
  std::vector<std::unique_ptr<Contender>> contenders;  ///< KernelContenders, in the same order
};

const KernelContender& ContenderOf(const Rows& rows, std::size_t index) {
  return static_cast<const KernelContender&>(*rows.contenders[index]);
}

std::vector<double> CeilingsOf(const Rows& rows, std::size_t index, const Series& series,
                               unsigned warm_up) {
  const std::vector<double>& all = ContenderOf(rows, index).ceilings();
  return {all.begin() + warm_up,
          all.begin() + warm_up + static_cast<std::ptrdiff_t>(series.measurements.size())};
}

std::vector<double> RatesOf(const Series& series, double steps) {
  std::vector<double> rates = series.Walls();
  for (double& rate : rates) rate = steps / rate;
  return rates;
}

// Against another kernel, in the rounds that both were in.
std::optional<Interval> Against(const std::vector<double>& rates, const std::vector<double>& base) {
  const std::size_t rounds = std::min(rates.size(), base.size());
  if (rounds == 0) return std::nullopt;
  return PairedRatio({rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(rounds)},
                     {base.begin(), base.begin() + static_cast<std::ptrdiff_t>(rounds)});
}

Cell IntervalCell(const Interval& interval, double scale) {
  return {Digits(interval.estimate * scale) + " [" + Digits(interval.low * scale) + ", " +
              Digits(interval.high * scale) + "]",
          interval.estimate};
}

Table MakeTable(const KernelsOptions& options, const Rows& rows, const Measured& measured,
                std::uint64_t steps, const std::string& verdict) {
  Table table{.name = "kernels",
              .title = "kernels, one CPU, workload " + options.base.workload + ": " +
                       std::to_string(steps) + " steps",
              .columns = {{"kernel", "kernel", false},
                          {"ms", "seconds"},
                          {"", "seconds_low"},
                          {"", "seconds_high"},
                          {"", "seconds_samples"},
                          {"steps, G/s", "steps_per_second"},
                          {"x scalar", "ratio_to_scalar"},
                          {"unchecked, G/s", "unchecked_steps_per_second"},
                          {"share", "share"},
                          {"", "share_low"},
                          {"", "share_high"},
                          {"checksum", "checksum", false}}};
  const auto scalar = std::ranges::find(rows.kernels, "scalar", &Kernel::name);
  const std::vector<double> base =
      scalar == rows.kernels.end()
          ? std::vector<double>{}
          : RatesOf(measured.series[static_cast<std::size_t>(scalar - rows.kernels.begin())],
                    static_cast<double>(steps));
  for (std::size_t index = 0; index < rows.kernels.size(); ++index) {
    const Series& series = measured.series[index];
    const Interval wall = MedianInterval(series.Walls());
    const std::vector<double> rates = RatesOf(series, static_cast<double>(steps));
    const double rate = Median(rates);
    const std::optional<Interval> ratio = Against(rates, base);
    std::vector<Cell> cells{
        {std::string(rows.kernels[index].name), std::string(rows.kernels[index].name)},
        {Digits(wall.estimate * 1e3), wall.estimate},
        {"", wall.low},
        {"", wall.high},
        {"", series.Walls()},
        {Digits(rate * 1e-9), rate},
        ratio ? Cell{Digits(ratio->estimate), ratio->estimate} : Cell{"-"}};
    const std::vector<double> ceilings = CeilingsOf(rows, index, series, options.warm_up);
    if (ceilings.front() > 0) {
      const Interval share = PairedRatio(rates, ceilings);
      const double ceiling = Median(ceilings);
      cells.insert(cells.end(), {Cell{Digits(ceiling * 1e-9), ceiling}, IntervalCell(share, 1),
                                 Cell{"", share.low}, Cell{"", share.high}});
    } else {
      cells.insert(cells.end(), {Cell{"-"}, Cell{"-"}, Cell{}, Cell{}});
    }
    cells.push_back({verdict, verdict});
    table.AddRow(std::move(cells));
  }
  table.notes = {
      "unchecked: steps of many orbits in registers without any test, the most that this CPU does "
      "with the",
      "kernel's instructions (SSE2 for complex, scalar and vector), measured beside each run; "
      "share: of that"};
  return table;
}

int Run(const KernelsOptions& options) {
  BlockAttendedSignals();
  StartLog("master", "warning");
  ReportOutput output(options.targets);
  const RunSetup setup = Prepare(options.base);
  Rows rows{.kernels = KernelsOf(options.kernels), .contenders = {}};
  for (const Kernel& kernel : rows.kernels) {
    rows.contenders.push_back(
        std::make_unique<KernelContender>(setup.workload.fractal, kernel, CeilingOf(kernel)));
  }
  ChecksumCheck check(options.base);
  Measured measured;
  try {
    measured =
        MeasureInRounds(rows.contenders, options.warm_up, options.rounds, !options.targets.quiet,
                        [&](std::size_t index, const Measurement& measurement) {
                          check.Require(std::string(rows.kernels[index].name),
                                        rows.kernels[index].name == "none", measurement);
                        });
  } catch (const ChecksumMismatch& mismatch) {
    std::fprintf(stderr, "master: %s\n", mismatch.what());
    return ExitCode(RunStatus::kMismatch);
  }
  if (measured.control.empty()) {
    std::fprintf(stderr, "master: interrupted before a round was complete\n");
    return ExitCode(RunStatus::kInterrupted);
  }
  const std::uint64_t steps = StepsOf(setup.workload.fractal);
  Report report{.command = "kernels"};
  report.settings = {{"workload", options.base.workload},
                     {"steps", static_cast<std::int64_t>(steps)},
                     {"rounds", static_cast<std::int64_t>(measured.control.size())},
                     {"warm_up", std::int64_t{options.warm_up}},
                     {"control_seconds", measured.control},
                     {"interrupted", measured.interrupted}};
  report.tables.push_back(MakeTable(options, rows, measured, steps,
                                    setup.workload.expected ? "the workload's" : "all alike"));
  report.warnings = MachineWarnings(measured, 1, 1);
  output.Write(report);
  return ExitCode(measured.interrupted ? RunStatus::kInterrupted : RunStatus::kDone);
}

}  // namespace

Subcommand KernelsCommand() {
  return {"kernels",
          "the kernels side by side: steps a second, and their share of what the CPU can do",
          [](CLI::App& app) {
            const auto options = std::make_shared<KernelsOptions>();
            AddOptions(app, *options);
            return [options] { return Run(*options); };
          }};
}

}  // namespace procpool
