#include "master/lab/contender.h"

#include <csignal>
#include <mutex>
#include <utility>

#include <procpool/error.h>
#include "common/workload.h"
#include "master/process_usage.h"
#include "master/runner.h"

namespace procpool {
namespace {

// CPU time and context switches of this process and of the workers, summed.
struct Usage {
  double cpu = 0;
  std::uint64_t switches = 0;
};

void Add(Usage& sum, const ProcessUsage& usage) {
  sum.cpu += Seconds(usage.cpu);
  sum.switches += usage.voluntary_switches + usage.involuntary_switches;
}

Usage UsageOfAll(const std::vector<pid_t>& workers) {
  Usage sum;
  Add(sum, UsageOfThisProcess());
  for (const pid_t worker : workers) {
    if (const auto usage = UsageOf(worker)) Add(sum, *usage);
  }
  return sum;
}

class RunnerContender final : public Contender {
 public:
  RunnerContender(const RunOptions& options, Temperature temperature)
      : setup_(Prepare(options)), temperature_(temperature) {}

  bool Start() override {
    if (temperature_ == Temperature::kWarm) {
      Make();
      runner_->WaitUntilReady();
      runner_->Rest();
    }
    return true;
  }

  Measurement Run() override { return temperature_ == Temperature::kCold ? RunCold() : RunWarm(); }

  void Interrupt() override {
    const std::lock_guard lock(mutex_);
    if (runner_ != nullptr) runner_->Interrupt();
  }

 private:
  Measurement RunWarm() {
    runner_->Wake();
    const std::vector<pid_t> workers = runner_->WorkerPids();
    const Usage before = UsageOfAll(workers);
    RunResult result = runner_->Run();
    const Usage after = UsageOfAll(workers);
    const bool same_workers = runner_->WorkerPids() == workers;
    runner_->Rest();
    Measurement measurement = MeasurementOf(std::move(result));
    // What a worker used that is gone by now is not known.
    if (same_workers) SetUsage(measurement, before, after);
    return measurement;
  }

  // Its workers have used nothing before.
  Measurement RunCold() {
    const Usage before = UsageOfAll({});
    Make();
    RunResult result = runner_->Run();
    const Usage after = UsageOfAll(runner_->WorkerPids());
    runner_->Close(result);
    {
      const std::lock_guard lock(mutex_);
      runner_.reset();
    }
    Measurement measurement = MeasurementOf(std::move(result));
    if (measurement.warnings.empty()) SetUsage(measurement, before, after);
    return measurement;
  }

  static void SetUsage(Measurement& measurement, const Usage& before, const Usage& after) {
    measurement.cpu = after.cpu - before.cpu;
    measurement.switches = after.switches - before.switches;
  }

  Measurement MeasurementOf(RunResult result) const {
    if (result.status != RunStatus::kDone) {
      throw Error(Blame::kMachine,
                  {"measure", setup_.options.transport, result.error, "see the log"});
    }
    return {.wall = Seconds(result.wall),
            .traffic = result.traffic,
            .checksum = result.checksum,
            .budget = std::move(result.budget),
            .warnings = std::move(result.warnings)};
  }

  void Make() {
    auto runner = MakeRunner(setup_);
    const std::lock_guard lock(mutex_);
    runner_ = std::move(runner);
  }

  RunSetup setup_;
  Temperature temperature_;
  std::mutex mutex_;  // Interrupt() comes from another thread
  std::unique_ptr<Runner> runner_;
};

// Plain Python needs seconds for a run, and to start.
constexpr Nanoseconds kPeerDeadline = 300 * kSecond;

class PeerContender final : public Contender {
 public:
  PeerContender(PeerProgram program, const RunOptions& options)
      : program_(std::move(program)),
        missing_(program_.missing),
        job_{.workload = LoadWorkload(options.workload, options.overrides),
             .procs = options.procs,
             .chunks = options.chunks,
             .payload = options.payload,
             .compute = options.kernel != "none"} {}

  bool Start() override {
    if (!missing_.empty()) return false;
    peer_ = std::make_unique<Peer>(program_, job_, kPeerDeadline);
    missing_ = peer_->missing();
    return missing_.empty();
  }
  std::string Missing() const override { return missing_; }

  Measurement Run() override {
    const PeerRun run = peer_->Run(kPeerDeadline);
    return {.wall = run.wall_seconds, .checksum = run.checksum};
  }
  // Its end is seen by who waits for its answer.
  void Interrupt() override {
    if (peer_ != nullptr) ::kill(-peer_->pid(), SIGTERM);
  }

 private:
  PeerProgram program_;
  std::string missing_;
  PeerJob job_;
  std::unique_ptr<Peer> peer_;
};

}  // namespace

std::unique_ptr<Contender> MakePeerContender(const PeerProgram& program,
                                             const RunOptions& options) {
  return std::make_unique<PeerContender>(program, options);
}

std::unique_ptr<Contender> MakeContender(const RunOptions& options, Temperature temperature) {
  return std::make_unique<RunnerContender>(options, temperature);
}

}  // namespace procpool
