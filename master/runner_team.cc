// The job inside this process: threads, or this thread alone.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/host.h"
#include "master/attendant.h"
#include "master/prepared_coords.h"
#include "master/runner.h"
#include "master/thread_team.h"

namespace procpool {
namespace {

// A thread's line of time has few stations: it begins, computes chunk by chunk, and waits for the
// others and for the checksum.
Budget BudgetOf(Nanoseconds begun, const std::vector<ThreadTally>& tallies, Nanoseconds assembling,
                Nanoseconds finished, bool cold) {
  Budget budget{.begun = begun, .finished = finished};
  for (const ThreadTally& tally : tallies) {
    BudgetLine line{};
    const auto spend = [&](BudgetPart part, Nanoseconds duration) {
      line[static_cast<std::size_t>(part)] += std::max<Nanoseconds>(0, duration);
    };
    spend(cold ? BudgetPart::kSpawn : BudgetPart::kWakeUp, tally.begun - begun);
    spend(BudgetPart::kEncode, tally.encode);
    const Nanoseconds running = std::clamp<Nanoseconds>(tally.compute_cpu, 0, tally.compute);
    spend(BudgetPart::kComputeRunning, running);
    spend(BudgetPart::kComputeQueueing, tally.compute - running);
    spend(BudgetPart::kResidual, tally.finished - tally.begun - tally.encode - tally.compute);
    spend(BudgetPart::kIdle, assembling - tally.finished);
    spend(BudgetPart::kChecksum, finished - assembling);
    budget.lines.push_back(line);
    budget.items += tally.items;
  }
  budget.master.checksum = finished - assembling;
  return budget;
}

// Of all threads, by rows.
std::vector<RowsPlacement> PlacementsOf(const std::vector<ThreadTally>& tallies,
                                        Nanoseconds begun) {
  std::vector<RowsPlacement> placements;
  for (const ThreadTally& tally : tallies)
    placements.insert(placements.end(), tally.placements.begin(), tally.placements.end());
  std::ranges::sort(placements, {}, &RowsPlacement::first_row);
  for (RowsPlacement& placement : placements) {
    if (placement.finished == 0) continue;
    placement.begun -= begun;
    placement.finished -= begun;
  }
  return placements;
}

class TeamRunner final : public Runner {
 public:
  explicit TeamRunner(const RunSetup& setup)
      : setup_(setup), grid_(MakeGrid(setup)), begun_(Now()) {
    if (setup.options.payload == RowsPayload::kCoords &&
        setup.options.input != CoordsInput::kComputed) {
      prepared_ = PrepareCoords(setup.workload.fractal, setup.plan, Buffer::Private);
      begun_ = Now();
    }
    team_.emplace(setup.options.transport == "serial" ? 0 : setup.options.procs);
    started_ = Now();
  }

  RunResult Run() override {
    const bool cold = std::exchange(cold_, false);
    const Fractal& fractal = setup_.workload.fractal;
    if (!cold) runner::SpoilRows(grid_, fractal);
    const Nanoseconds begun = cold ? begun_ : Now();
    const std::vector<ThreadTally> tallies =
        team_->Run({fractal, setup_.kernel, setup_.options.payload, setup_.plan, grid_,
                    prepared_.bytes().empty() ? nullptr : &prepared_, setup_.options.times});
    RunResult result;
    if (InterruptRequested() && team_->ItemsDone() < setup_.plan.chunks.size()) {
      result.status = RunStatus::kInterrupted;
      result.error = "interrupted after " + std::to_string(team_->ItemsDone()) + " of " +
                     std::to_string(setup_.plan.chunks.size()) + " chunks";
    }
    const Nanoseconds assembling = Now();
    result.has_checksum = result.status == RunStatus::kDone;
    result.checksum = ChecksumOf(grid_.as<std::int32_t>());
    const Nanoseconds finished = Now();
    result.phases.assemble = finished - assembling;
    result.wall = finished - begun;
    result.phases.split = setup_.splitting;
    if (cold) result.phases.spawn = started_ - begun;
    if (setup_.options.times) {
      result.budget = BudgetOf(begun, tallies, assembling, finished, cold);
    }
    for (std::size_t index = 0; index < tallies.size(); ++index) {
      result.workers.push_back({.slot = index,
                                .chunks = tallies[index].items,
                                .compute = tallies[index].compute,
                                .compute_cpu = tallies[index].compute_cpu});
      result.phases.compute += tallies[index].compute;
      result.phases.compute_cpu += tallies[index].compute_cpu;
      result.audited.rows_delivered += tallies[index].rows;
      result.audited.chunks_done += tallies[index].items;
    }
    result.audited.attempts = result.audited.chunks_done;
    result.placements = PlacementsOf(tallies, begun);
    result.all_answered = result.status == RunStatus::kDone;
    result.grid = grid_;
    return result;
  }

  void WaitUntilReady() override { cold_ = false; }
  std::vector<pid_t> WorkerPids() override { return {}; }
  void Rest() override {}
  void Wake() override {}
  void Close(RunResult&) override { team_.reset(); }
  void Interrupt() override { team_->Interrupt(); }
  void Abort() override { std::_Exit(ExitCode(RunStatus::kInterrupted)); }
  void Suspend() override {}
  void Resume(Nanoseconds) override {}
  std::uint64_t ChunksDone() const override { return team_->ItemsDone(); }

 private:
  static Buffer MakeGrid(const RunSetup& setup) {
    const Fractal& fractal = setup.workload.fractal;
    RequireMemory(runner::GridBytes(fractal), runner::GridText(fractal));
    return Buffer::Private(runner::GridBytes(fractal));
  }

  const RunSetup& setup_;
  Buffer grid_;
  Buffer prepared_;
  Nanoseconds begun_;
  Nanoseconds started_ = 0;
  bool cold_ = true;
  std::optional<ThreadTeam> team_;
};

}  // namespace

namespace runner {
std::unique_ptr<Runner> MakeTeamRunner(const RunSetup& setup) {
  return std::make_unique<TeamRunner>(setup);
}
}  // namespace runner

}  // namespace procpool
