#include "master/pi.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <numbers>

#include <procpool/error.h>
#include "common/host.h"
#include "common/log.h"
#include "master/append_format.h"
#include "master/attendant.h"
#include "master/cli_choices.h"
#include "master/pi_job.h"
#include "master/report_json.h"
#include "master/run.h"
#include "master/worker_pool.h"

namespace procpool {
namespace {

constexpr std::uint64_t kMostSamples = 1'000'000'000'000'000;

struct PiOptions {
  std::uint64_t samples = 10'000'000;
  std::uint64_t seed = 1;
  unsigned procs = 0;
  std::uint64_t chunks = 0;
  std::string transport = "shm";
  std::string worker;
  std::string json;
  bool quiet = false;
};

struct PiResult {
  JobReport report;
  std::uint64_t inside = 0;
  double wall = 0;
};

void AddOptions(CLI::App& app, PiOptions& options) {
  AddNumber<std::uint64_t>(
      app, "--samples", 1, kMostSamples, [&](std::uint64_t n) { options.samples = n; },
      "points to throw (default: 10000000)");
  AddNumber<std::uint64_t>(
      app, "--seed", 0, std::numeric_limits<std::uint64_t>::max(),
      [&](std::uint64_t n) { options.seed = n; }, "which points (default: 1)");
  AddNumber<unsigned>(
      app, "--procs", 1, kMostProcs, [&](unsigned n) { options.procs = n; },
      "workers (default: CPUs this process may use)");
  AddNumber<std::uint64_t>(
      app, "--chunks", 1, kMostChunks, [&](std::uint64_t n) { options.chunks = n; },
      "parts of the job (default: 8 per worker)");
  Names<std::string> transports;
  for (const Transport& transport : Transports())
    transports.emplace_back(transport.name, transport.name);
  AddChoice(app, "--transport", options.transport, transports, "how parts and results travel",
            "shm");
  AddName(app, "--worker", options.worker, "worker program")->type_name("PATH");
  AddName(app, "--json", options.json, "write the result as JSON; - for standard output")
      ->type_name("FILE|-");
  app.add_flag("--quiet", options.quiet, "no summary, no progress");
}

PiResult Compute(const PiOptions& options) {
  const Nanoseconds begun = Now();
  WorkerPool pool(
      {.procs = options.procs, .transport = options.transport, .worker_program = options.worker});
  PiJob job(options.seed, options.samples, options.chunks);
  const Attendant attendant({.interrupt = [&] { pool.Interrupt(); },
                             .abort = [&] { pool.Abort(); },
                             .suspend = [&] { pool.Suspend(); },
                             .resume = [&](Nanoseconds stopped) { pool.Resume(stopped); },
                             .chunks_done = [&] { return pool.ItemsDone(); }},
                            options.chunks, !options.quiet);
  PiResult result{.report = pool.Run(job, {})};
  result.inside = job.inside();
  result.wall = Seconds(Now() - begun);
  return result;
}

std::string Words(const PiOptions& options, const PiResult& result, double pi, double deviation) {
  std::string text;
  Append(text, "pi         %.12g   +- %.2g (one standard deviation)\n", pi, deviation);
  Append(text, "off by     %.2g   %.2f standard deviations\n", std::abs(pi - std::numbers::pi),
         std::abs(pi - std::numbers::pi) / deviation);
  Append(text, "inside     %llu of %llu points, seed %llu\n",
         static_cast<unsigned long long>(result.inside),
         static_cast<unsigned long long>(options.samples),
         static_cast<unsigned long long>(options.seed));
  Append(text,
         "wall time  %.2f ms   %.1f million points a second, %u worker(s), %llu chunk(s) over %s\n",
         result.wall * 1e3, static_cast<double>(options.samples) / result.wall * 1e-6,
         options.procs, static_cast<unsigned long long>(options.chunks), options.transport.c_str());
  return text;
}

std::string Json(const PiOptions& options, const PiResult& result, double pi, double deviation) {
  const nlohmann::ordered_json json{{"pi", pi},
                                    {"standard_deviation", deviation},
                                    {"inside", result.inside},
                                    {"samples", options.samples},
                                    {"seed", options.seed},
                                    {"procs", options.procs},
                                    {"chunks", options.chunks},
                                    {"transport", options.transport},
                                    {"wall_seconds", result.wall},
                                    {"retries", result.report.retries}};
  return json.dump(2) + "\n";
}

int Run(PiOptions options) {
  BlockAttendedSignals();
  StartLog("master", "warning");
  if (options.procs == 0) options.procs = std::min(UsableCpus(), kMostProcs);
  if (options.chunks == 0) options.chunks = 8 * std::uint64_t{options.procs};
  options.chunks = std::min(options.chunks, options.samples);
  JsonOutput json(options.json);
  const PiResult result = Compute(options);
  if (result.report.status == JobReport::Status::kInterrupted) {
    std::fprintf(stderr, "master: interrupted\n");
    return ExitCode(RunStatus::kInterrupted);
  }
  if (result.report.status != JobReport::Status::kDone) {
    const std::string& cause = result.report.given_up.empty()
                                   ? result.report.error
                                   : result.report.given_up.front().reason;
    throw Error(Blame::kMachine, {"compute", "pi", cause, "see what the worker says"});
  }
  // A point is inside with probability pi / 4.
  const auto samples = static_cast<double>(options.samples);
  const double share = static_cast<double>(result.inside) / samples;
  const double deviation =
      4 * std::sqrt(std::numbers::pi / 4 * (1 - std::numbers::pi / 4) / samples);
  const double pi = 4 * share;
  std::FILE* summary = json.to_standard_output() ? stderr : stdout;
  if (!options.quiet) std::fputs(Words(options, result, pi, deviation).c_str(), summary);
  json.Write(Json(options, result, pi, deviation));
  return 0;
}

}  // namespace

Subcommand PiCommand() {
  return {"pi", "pi by points thrown at a circle: another job for the same pool",
          [](CLI::App& app) {
            const auto options = std::make_shared<PiOptions>();
            AddOptions(app, *options);
            return [options] { return Run(*options); };
          }};
}

}  // namespace procpool
