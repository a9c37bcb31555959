#include "master/lab/contender.h"

#include <mutex>
#include <utility>

#include "common/error.h"
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

  void Start() override {
    if (temperature_ == Temperature::kCold) return;
    Make();
    runner_->WaitUntilReady();
  }

  Measurement Run() override {
    const bool cold = temperature_ == Temperature::kCold;
    // Workers that are made in this run have used nothing before it.
    const Usage before = UsageOfAll(cold ? std::vector<pid_t>{} : runner_->WorkerPids());
    if (cold) Make();
    RunResult result = runner_->Run();
    const Usage after = UsageOfAll(runner_->WorkerPids());
    if (cold) {
      runner_->Close(result);
      const std::lock_guard lock(mutex_);
      runner_.reset();
    }
    if (result.status != RunStatus::kDone) {
      throw Error(Blame::kMachine,
                  {"measure", setup_.options.transport, result.error, "see the log"});
    }
    return {.wall = Seconds(result.wall),
            .cpu = after.cpu - before.cpu,
            .switches = after.switches - before.switches,
            .traffic = result.traffic,
            .checksum = result.checksum,
            .budget = std::move(result.budget)};
  }

  void Interrupt() override {
    const std::lock_guard lock(mutex_);
    if (runner_ != nullptr) runner_->Interrupt();
  }

 private:
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

}  // namespace

std::unique_ptr<Contender> MakeContender(const RunOptions& options, Temperature temperature) {
  return std::make_unique<RunnerContender>(options, temperature);
}

}  // namespace procpool
