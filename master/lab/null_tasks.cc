#include "master/lab/null_tasks.h"

#include <cstring>

#include <procpool/error.h>
#include "master/lab/ipc_measure.h"

namespace procpool {
namespace {

constexpr double kStreamSeconds = 0.05;  // of one pool in one round
constexpr double kSingleSeconds = 0.01;
constexpr std::uint64_t kMostSingle = 2000;
constexpr Nanoseconds kReadyDeadline = 20 * kSecond;

// Item i is the number i; so is its answer.
class NullJob final : public Job {
 public:
  explicit NullJob(std::size_t items) : items_(items) {}

  std::string_view task() const override { return "echo"; }
  std::span<const std::byte> context() const override { return {}; }
  std::size_t items() const override { return items_; }

  ItemInput Begin(const GivenItem& given) override {
    input_ = given.item;  // the channel copies it at once: it is short
    return {.input = std::as_bytes(std::span(&input_, 1))};
  }
  std::optional<std::span<std::byte>> PlaceFor(const GivenItem& /*given*/, std::uint64_t offset,
                                               std::uint64_t bytes) override {
    if (offset != 0 || bytes != sizeof answer_) return std::nullopt;
    return std::as_writable_bytes(std::span(&answer_, 1));
  }
  bool Complete(const GivenItem& given, const ItemResult& result) override {
    return result.bytes == sizeof answer_ && answer_ == given.item;
  }
  void Return(const GivenItem& /*given*/) override {}
  void GiveUp(const GivenUpItem& /*given_up*/) override {}

 private:
  std::size_t items_;
  std::uint64_t input_ = 0;
  std::uint64_t answer_ = 0;
};

double RunJob(WorkerPool& pool, std::uint64_t items) {
  NullJob job(items);
  const Nanoseconds begun = Now();
  const JobReport report = pool.Run(job, {});
  const double seconds = Seconds(Now() - begun);
  if (report.status != JobReport::Status::kDone || report.items_done != items) {
    throw Error(Blame::kMachine,
                {"measure", "null tasks over " + std::string(pool.transport().name),
                 report.error.empty() ? "not every task was done" : report.error,
                 "look at the warnings on standard error"});
  }
  return seconds;
}

void RunRound(const IpcOptions& options, NullTasks& row) {
  WorkerPool pool({.procs = options.procs,
                   .transport = row.transport,
                   .worker_program = options.worker,
                   .wait = row.wait});
  if (!pool.WaitUntilReady(Deadline::After(kReadyDeadline))) {
    throw Error(Blame::kMachine, {"measure", "null tasks over " + row.transport,
                                  "not every worker was ready in time", "use fewer workers"});
  }
  const auto stream = [&](std::uint64_t tasks) { return RunJob(pool, tasks); };
  // Calibrated anew, which also warms: how processes meet on the CPUs differs from pool to pool.
  const std::uint64_t tasks = CountFor(stream, kStreamSeconds, options.tasks);
  row.rates.push_back(static_cast<double>(tasks) / stream(tasks));
  row.tasks += tasks;
  const Deadline end = Deadline::After(static_cast<Nanoseconds>(kSingleSeconds * 1e9));
  for (std::uint64_t i = 0; i < kMostSingle && !end.Passed(); ++i) {
    row.single.push_back(RunJob(pool, 1));
  }
}

}  // namespace

std::vector<NullTasks> MeasureNullTasks(const IpcOptions& options) {
  std::vector<NullTasks> rows;
  for (const std::string& transport : options.transports) {
    for (const WaitMode wait : options.waits) rows.push_back({transport, wait});
  }
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      RunRound(options, rows[(i + round) % rows.size()]);
  }
  return rows;
}

}  // namespace procpool
