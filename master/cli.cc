#include "master/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

#include "common/build_id.h"
#include "common/host.h"
#include "common/log.h"
#include "master/cli_choices.h"
#include "master/cli_option.h"
#include "master/colormap.h"

namespace procpool {
namespace {

constexpr double kLongestTimeout = 1e6;
constexpr double kLongestGrace = 3600;

Names<std::string> ColormapChoices() {
  Names<std::string> names;
  for (const ColormapInfo& info : Colormaps()) names.emplace_back(info.name, info.name);
  return names;
}

void AddJobOptions(CLI::App& app, RunOptions& options) {
  AddNumber<unsigned>(
      app, "--procs", 1, kMostProcs, [&](unsigned n) { options.procs = n; },
      "workers (default: CPUs this process may use)");
  AddNumber<std::uint64_t>(
      app, "--chunks", 1, kMostChunks, [&](std::uint64_t n) { options.chunks = n; },
      "chunks of rows (default: 8 per worker)");
  AddChoice(app, "--transport", options.transport, TransportChoices(),
            "how chunks and results travel", "shm");
  AddChoice(app, "--schedule", options.schedule, ScheduleChoices(), "who gets which chunk",
            "dynamic");
  AddChoice(app, "--payload", options.payload, PayloadChoices(),
            "what travels to the workers: row numbers, or every point's z and c", "rows");
  AddChoice(app, "--input", options.input, InputChoices(),
            "with payload coords: where the coordinates lie before the job begins", "computed");
  AddChoice(app, "--codec", options.codec, CodecChoices(), "how payloads and results become bytes",
            "raw");
  AddChoice(app, "--kernel", options.kernel, KernelChoices(), "how a point is computed", "auto");
  AddChoice(app, "--spawn", options.spawn, SpawnChoices(), "how a worker process is made",
            options.spawn);
  AddChoice(app, "--wait", options.wait, WaitChoices(), "how a side waits for the other", "auto");
}

void AddSupervisionOptions(CLI::App& app, RunOptions& options) {
  AddNumber<double>(
      app, "--timeout", 1e-3, kLongestTimeout, [&](double n) { options.timeout = n; },
      "seconds for a chunk, then its worker is killed and the chunk retried (default: none)")
      ->type_name("S");
  AddNumber<unsigned>(
      app, "--retries", 1, 100, [&](unsigned n) { options.retries = n; },
      "deaths a chunk may cause; then it is done in halves, and a single row is given up (default: "
      "3)");
  AddNumber<std::uint64_t>(
      app, "--max-chunks-per-worker", 1, kMostChunks,
      [&](std::uint64_t n) { options.max_chunks_per_worker = n; },
      "replace a worker after so many chunks (default: never)");
  AddNumber<std::uint64_t>(
      app, "--max-restarts", 0, 1'000'000, [&](std::uint64_t n) { options.max_restarts = n; },
      "workers that died and may be replaced within the restart window (default: 1000)");
  AddNumber<double>(
      app, "--restart-window", 1e-3, kLongestTimeout, [&](double n) { options.restart_window = n; },
      "seconds that --max-restarts is for; when more die the job ends (default: 10)")
      ->type_name("S");
  AddNumber<double>(
      app, "--ready-timeout", 1e-3, kLongestGrace, [&](double n) { options.ready_timeout = n; },
      "seconds within which a worker must be ready (default: 10)")
      ->type_name("S");
  AddNumber<double>(
      app, "--grace", 1e-3, kLongestGrace, [&](double n) { options.grace = n; },
      "seconds for a worker that was told to leave, and again after SIGTERM (default: 2)")
      ->type_name("S");
  AddName(app, "--chaos", options.chaos,
          "faults that the workers shall commit, e.g. 'kill@computing:chunk=3,attempt=0'; "
          "docs/faults.md lists them")
      ->type_name("SPEC");
  app.add_flag("--audit", options.audit,
               "certify at the end that no row was lost or doubled and nothing is left behind");
  AddName(app, "--worker", options.worker, "worker program (default: `worker` beside master)")
      ->type_name("PATH");
}

void AddTimingOptions(CLI::App& app, RunOptions& options) {
  app.add_flag("--budget", options.budget, "print where the time went in full");
  AddChoice(app, "--times", options.times, Names<bool>{{"on", true}, {"off", false}},
            "whether chunks carry their times; without them there is no budget", "on");
  AddNumber<unsigned>(
      app, "--repeat", 1, 1'000'000, [&](unsigned n) { options.repeat = n; },
      "after the first run, time so many repeats with warm workers, as timeit does");
  AddNumber<unsigned>(
      app, "--loops", 1, 1'000'000, [&](unsigned n) { options.loops = n; },
      "runs in each repeat (default: 1)");
}

// A flag may have a value, behind `=` only: what follows it as another word is never taken for one.
// Files say `preview = true` where the command line says --preview.
void AddPreview(CLI::App& app, RunOptions& options) {
  const Names<PreviewMode> names{{"auto", PreviewMode::kAuto},
                                 {"kitty", PreviewMode::kKitty},
                                 {"sixel", PreviewMode::kSixel},
                                 {"blocks", PreviewMode::kBlocks}};
  const std::string help =
      "show the picture in the terminal, as it can (auto) or by --preview=NAME: " + Listed(names);
  app.add_flag("--preview{auto}", help)
      ->check([names](const std::string& text) {
        const bool known =
            text == "true" || text == "false" ||
            std::ranges::any_of(names, [&](const auto& n) { return n.first == text; });
        return known ? "" : "'" + text + "' is unknown; allowed are " + Listed(names);
      })
      ->each([names, &options](const std::string& text) {
        options.preview.reset();
        if (text == "false") return;
        options.preview =
            text == "true" ? PreviewMode::kAuto : ParseChoice("--preview", text, names);
      });
}

void AddOutputOptions(CLI::App& app, RunOptions& options) {
  AddChoice(app, "--verify", options.verify,
            Names<VerifyMode>{{"auto", VerifyMode::kAuto},
                              {"expected", VerifyMode::kExpected},
                              {"serial", VerifyMode::kSerial},
                              {"none", VerifyMode::kNone}},
            "against the workload's checksum, or row by row against the serial baseline", "auto");
  AddName(app, "--output", options.output,
          "write the grid as a picture (.png, .pgm) or an array (.npy)")
      ->type_name("FILE");
  app.add_flag("--partial", options.partial, "write --output also when rows were given up");
  AddChoice(app, "--colormap", options.colormap, ColormapChoices(), "colours of a picture",
            "pure-gray");
  AddPreview(app, options);
  AddName(app, "--json", options.json, "write the result as JSON; - for standard output")
      ->type_name("FILE|-");
  app.add_flag("--quiet", options.quiet, "no summary, no progress");
  app.add_option_function<std::string>(
         "--log-level",
         [&](const std::string& level) {
           const std::string allowed = CheckLogLevel(level);
           if (!allowed.empty()) {
             throw CLI::ValidationError("--log-level",
                                        "'" + level + "' is unknown; allowed are " + allowed);
           }
           options.log_level = level;
         },
         "trace, debug, info, warning, error, critical, off")
      ->type_name("NAME")
      ->default_str("warning");
}

// Options of a run have no meaning for the other commands, which have their own.
void RequireNoneGiven(const CLI::App& app, const std::string& command) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0) {
      throw CLI::ValidationError(
          option->get_name(),
          "it stands before '" + command + "', where only options of a run stand; put it behind");
    }
  }
}

int ReportParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // help, version, lists
  std::string line = error.what();
  std::ranges::replace(line, '\n', ' ');
  std::cerr << "master: cannot read the command line: " << line << "; see master --help\n";
  return 2;
}

}  // namespace

Command ParseCommandLine(int argc, char** argv, const std::vector<Subcommand>& laboratory) {
  Command command;
  RunOptions& options = command.run;
  CLI::App app(
      "procpool: computes a fractal with a pool of worker processes and says where the time went.",
      "master");
  app.set_version_flag("--version", "procpool " + std::string(Version()));
  app.set_config("--config", "", "read options from a TOML file, e.g. configs/pool.toml")
      ->type_name("FILE");
  app.allow_config_extras(false);
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.add_subcommand("run", "run one job (the default)")->fallthrough();
  AddJobOptions(app, options);
  AddWorkloadOptions(app, options);
  AddSupervisionOptions(app, options);
  AddTimingOptions(app, options);
  AddOutputOptions(app, options);
  std::vector<std::pair<CLI::App*, std::function<int()>>> others;
  for (const Subcommand& subcommand : laboratory) {
    CLI::App* added = app.add_subcommand(subcommand.name, subcommand.description);
    added->fallthrough(false);
    others.emplace_back(added, subcommand.add(*added));
  }
  app.footer(
      "Exit codes: 0 done and verified where there was something to verify, 1 failed, 2 wrong "
      "usage,\n"
      "            3 the checksum does not match, 130 interrupted.\n"
      "Example:    master --procs 8 --chunks 64 --transport pipe --output julia.png");
  try {
    app.parse(argc, argv);
    for (const auto& [subcommand, action] : others) {
      if (!subcommand->parsed()) continue;
      RequireNoneGiven(app, subcommand->get_name());
      command.laboratory = action;
    }
  } catch (const CLI::ParseError& error) {
    command.exit_code = ReportParseError(app, error);
    return command;
  }
  if (options.loops > 1 && options.repeat == 0) options.repeat = 1;
  if (options.procs == 0) options.procs = std::min(UsableCpus(), kMostProcs);
  if (options.transport == "serial") options.procs = 1;
  if (options.chunks == 0) options.chunks = kChunksPerWorker * options.procs;
  return command;
}

}  // namespace procpool
