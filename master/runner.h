// Runs the job of a RunSetup, once or again and again, and keeps warm between two runs what can be
// kept: the workers, the grid, the memory of payloads.
//
// Thread-safety: Interrupt(), Abort(), Suspend(), Resume() and ChunksDone() from any thread, the
// rest from one.
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "master/run.h"

namespace procpool {

class Runner {
 public:
  virtual ~Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// One job, from handing it over until the grid is complete and its checksum known. The wall time
  /// of the first one begins with the runner itself, so that it contains the making of the workers,
  /// unless WaitUntilReady() came before. Throws Error if nothing can be run.
  virtual RunResult Run() = 0;
  /// Until all workers wait for a job. Throws Error{kMachine} if they do not come.
  virtual void WaitUntilReady() = 0;
  /// Live worker processes; none with threads.
  virtual std::vector<pid_t> WorkerPids() = 0;
  /// Until Wake() the workers are stopped, if they would spin otherwise: for a runner that waits
  /// while others are measured.
  virtual void Rest() = 0;
  virtual void Wake() = 0;
  /// Ends the workers. Writes into the last result how each ended, and how long that took.
  virtual void Close(RunResult& last) = 0;

  virtual void Interrupt() = 0;
  virtual void Abort() = 0;
  virtual void Suspend() = 0;
  virtual void Resume(Nanoseconds stopped) = 0;
  virtual std::uint64_t ChunksDone() const = 0;

 protected:
  Runner() = default;
};

/// Over the transport that the options name, or inside this process. `setup` must outlive the
/// runner. Throws Error if the workers cannot be started.
std::unique_ptr<Runner> MakeRunner(const RunSetup& setup);

/// What both kinds of runner do alike.
namespace runner {
std::uint64_t GridBytes(const Fractal& fractal);
std::string GridText(const Fractal& fractal);
/// Spoils one count in every row, so that a row left over from the run before cannot pass for one
/// of the next run.
void SpoilRows(const Buffer& grid, const Fractal& fractal);
std::unique_ptr<Runner> MakePoolRunner(const RunSetup& setup);
std::unique_ptr<Runner> MakeTeamRunner(const RunSetup& setup);
}  // namespace runner

}  // namespace procpool
