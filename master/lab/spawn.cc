#include "master/lab/spawn.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>

#include <procpool/error.h>
#include "common/log.h"
#include "master/cli_option.h"
#include "master/lab/report.h"
#include "master/lab/spawn_contenders.h"
#include "master/lab/spawn_measure.h"
#include "master/lab/spawn_tables.h"

namespace procpool {
namespace {

constexpr double kGigabyte = 1e9;
constexpr const char* kStages = "stages";
constexpr const char* kMemory = "memory";
constexpr const char* kDescriptors = "descriptors";
constexpr const char* kThreads = "threads";
constexpr const char* kAtOnce = "at-once";
constexpr const char* kPool = "pool";

struct SpawnOptions {
  std::vector<std::string> methods = SpawnContenderMethods();
  std::vector<std::string> programs = SpawnContenderPrograms();
  std::vector<std::string> only = {kStages, kMemory, kDescriptors, kThreads, kAtOnce, kPool};
  std::vector<double> memory = {0, 1, 2};
  std::vector<double> descriptors = {0, 1000, 10000};
  std::vector<double> threads = {0, 16, 64};
  std::vector<unsigned> at_once = {1, 2, 4, 8};
  std::size_t rounds = 21;
  std::size_t procs = 8;
  std::string worker;  // path; empty: beside master
  ReportTargets targets;

  bool Wants(const char* part) const { return std::ranges::count(only, part) > 0; }
};

void AddSpawnOptions(CLI::App& app, SpawnOptions& options) {
  AddChoiceList(app, "--method", options.methods, SameNames(SpawnContenderMethods()),
                "ways to make a process", "all");
  AddChoiceList(app, "--program", options.programs, SameNames(SpawnContenderPrograms()),
                "what is started, by the methods with exec", "all");
  AddChoiceList(app, "--only", options.only, SameNames(options.only), "parts of the report", "all");
  AddNumberList<double>(app, "--memory", options.memory, 0, 1024,
                        "resident memory of the parent, GB", "0,1,2");
  AddNumberList<double>(app, "--descriptors", options.descriptors, 0, 1e6,
                        "open descriptors of the parent", "0,1000,10000");
  AddNumberList<double>(app, "--threads", options.threads, 0, 10000,
                        "sleeping threads of the parent", "0,16,64");
  AddNumberList<unsigned>(app, "--at-once", options.at_once, 1, 256, "processes started at once",
                          "1,2,4,8");
  AddNumber<std::size_t>(
      app, "--rounds", 1, 100'000, [&](std::size_t n) { options.rounds = n; },
      "how often each thing is measured (default: 21)");
  AddNumber<std::size_t>(
      app, "--procs", 1, 256, [&](std::size_t n) { options.procs = n; },
      "workers of the pools that are started (default: 8)");
  AddName(app, "--worker", options.worker, "worker program (default: `worker` beside master)")
      ->type_name("PATH");
  AddReportOptions(app, options.targets);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

class Experiment {
 public:
  explicit Experiment(SpawnOptions options) : options_(std::move(options)) {
    if (options_.worker.empty()) options_.worker = DefaultWorkerProgram();
    RequireWorkerProgram(options_.worker);
    report_.command = "spawn";
    report_.settings = {{"methods", Joined(options_.methods)},
                        {"programs", Joined(options_.programs)},
                        {"default_method", std::string(DefaultSpawnMethod().name)},
                        {"rounds", static_cast<std::int64_t>(options_.rounds)},
                        {"procs", static_cast<std::int64_t>(options_.procs)}};
    contenders_ = MakeSpawnContenders(options_.methods, options_.programs, {options_.worker},
                                      report_.warnings);
    if (contenders_.empty()) {
      throw Error(Blame::kUser, {"measure", "processes", "no method is left to start a program by",
                                 "give others with --method and --program"});
    }
    for (const auto& contender : contenders_) {
      all_.push_back(contender.get());
      if (IsSwept(*contender)) swept_.push_back(contender.get());
    }
    if (swept_.empty()) swept_ = all_;
  }

  Report Run() {
    if (options_.Wants(kStages)) {
      Progress("stages");
      const std::vector<SpawnSeries> all = MeasureSpawns(all_, options_.rounds, 1, 0);
      report_.tables.push_back(StagesTable(all));
      report_.tables.push_back(UsableTable(all));
    }
    const std::vector<SpawnSeries> memory = Memory();
    Sweep(kDescriptors, {"descriptors", "A parent with many descriptors open; ms", "descriptors"},
          options_.descriptors, [](double count) {
            return std::make_unique<OpenDescriptors>(static_cast<std::size_t>(count));
          });
    Sweep(kThreads, {"threads", "A parent with many threads; ms", "threads"}, options_.threads,
          [](double count) {
            return std::make_unique<SleepingThreads>(static_cast<std::size_t>(count));
          });
    AtOnce();
    const PoolComparison pools = Pools();
    Table goals = GoalsTable(memory, pools);
    if (!goals.rows.empty()) report_.tables.push_back(std::move(goals));
    return std::move(report_);
  }

 private:
  // Sweeps go over the workers and echoes, and over one empty program as the least there is.
  static bool IsSwept(const SpawnContender& contender) {
    return contender.program() == kEcho || contender.program() == kWorker ||
           (contender.program() == kEmptyProgram &&
            contender.method() == DefaultSpawnMethod().name);
  }

  void Progress(const char* part) const {
    if (!options_.targets.quiet) std::fprintf(stderr, "measuring: %s\n", part);
  }

  template <typename MakeBurden>
  std::vector<SpawnSeries> Sweep(const char* part, const SpawnSweepText& text,
                                 const std::vector<double>& levels, MakeBurden make) {
    if (!options_.Wants(part)) return {};
    Progress(part);
    std::vector<SpawnSeries> all =
        SweepSpawns(swept_, options_.rounds, levels, make, report_.warnings);
    report_.tables.push_back(SweepTable(text, all));
    return all;
  }

  std::vector<SpawnSeries> Memory() {
    std::vector<SpawnSeries> all = Sweep(
        kMemory, {"memory_gb", "A parent with much memory resident; ms", "GB"}, options_.memory,
        [](double gigabytes) {
          return std::make_unique<ResidentMemory>(static_cast<std::size_t>(gigabytes * kGigabyte));
        });
    Table fit = MemoryFitTable(all);
    if (!fit.rows.empty()) report_.tables.push_back(std::move(fit));
    return all;
  }

  void AtOnce() {
    if (!options_.Wants(kAtOnce)) return;
    Progress(kAtOnce);
    std::vector<SpawnSeries> all;
    for (const unsigned count : options_.at_once) {
      for (SpawnSeries& series : MeasureSpawns(swept_, options_.rounds, count, count)) {
        all.push_back(std::move(series));
      }
    }
    report_.tables.push_back(
        SweepTable({"at_once", "Several at once, begun one after the other; ms", "k", true}, all));
  }

  PoolComparison Pools() {
    if (!options_.Wants(kPool)) return {};
    std::vector<std::string> methods;
    for (const std::string& name : options_.methods) {
      if (FindSpawnMethod(name) != nullptr) methods.push_back(name);
    }
    if (methods.empty()) return {};
    Progress(kPool);
    std::vector<SpawnContender*> raw;
    for (SpawnContender* contender : all_) {
      // The empty program first: it is what the pools are compared with.
      if (contender->method() != DefaultSpawnMethod().name) continue;
      if (contender->program() == kEmptyProgram) raw.insert(raw.begin(), contender);
      if (contender->program() == kWorker) raw.push_back(contender);
    }
    PoolComparison pools =
        MeasurePools(raw, methods, options_.worker, options_.procs, options_.rounds);
    report_.tables.push_back(PoolTable(pools, options_.procs));
    return pools;
  }

  SpawnOptions options_;
  Report report_;
  std::vector<std::unique_ptr<SpawnContender>> contenders_;
  std::vector<SpawnContender*> all_, swept_;
};

int RunSpawn(const SpawnOptions& options) {
  StartLog("master", "warning");
  std::signal(SIGPIPE, SIG_IGN);  // a child that died is an error with a name
  ReportOutput output(options.targets);
  output.Write(Experiment(options).Run());
  return 0;
}

}  // namespace

Subcommand SpawnCommandLine() {
  return {"spawn", "what a process costs, by every way to make one", [](CLI::App& app) {
            auto options = std::make_shared<SpawnOptions>();
            AddSpawnOptions(app, *options);
            return [options] { return RunSpawn(*options); };
          }};
}

}  // namespace procpool
