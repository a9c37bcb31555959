// One run, from options to a verified grid: prepare, execute, verify. What main.cc strings
// together.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/checksum.h"
#include "common/kernel.h"
#include "common/workload.h"
#include "master/audit.h"
#include "master/budget.h"
#include "master/chaos_report.h"
#include "master/cli.h"
#include "master/output_file.h"
#include "master/picture_times.h"
#include "master/plan.h"
#include "master/process_usage.h"
#include "master/rows_placement.h"
#include "master/workers.h"

namespace procpool {

/// All that is decided before work starts. Everything that can be wrong with the request was found
/// on the way here.
struct RunSetup {
  Audit audit;  // first, for it looks at how things are before
  RunOptions options;
  Workload workload;
  Kernel kernel;
  Plan plan;
  std::unique_ptr<OutputFile> output;  ///< null without --output
  std::vector<std::string> warnings;
  Nanoseconds begun = 0;
  Nanoseconds splitting = 0;
};

/// Throws Error{kUser} for what the user can mend, Error{kMachine} for want of memory.
RunSetup Prepare(const RunOptions& options);

enum class RunStatus { kDone, kFailed, kMismatch, kInterrupted };
std::string_view RunStatusName(RunStatus status);
int ExitCode(RunStatus status);

struct GivenUpRows {
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;
  std::string reason;
};

struct WorkerRow {
  std::size_t slot = 0;
  int pid = 0;
  std::uint64_t chunks = 0;
  Nanoseconds compute = 0;
  Nanoseconds compute_cpu = 0;
  Nanoseconds sending = 0;
  std::string exit{};
  std::optional<ProcessMemory> memory{};  ///< at the end of the job; of those that still live
};

/// Wall time of the master, except `compute`, which is summed over the workers.
struct Phases {
  Nanoseconds split = 0;  ///< planning and writing the payloads
  Nanoseconds spawn =
      0;  ///< from the first spawn until the last worker was ready; others compute meanwhile
  Nanoseconds compute = 0;
  Nanoseconds compute_cpu = 0;
  Nanoseconds waiting = 0;   ///< in the event loop: waiting for workers and taking in their results
  Nanoseconds assemble = 0;  ///< the final pass over the grid: hashes, sum, digest
  Nanoseconds verify = 0;    ///< comparing with the serial baseline
  Nanoseconds output = 0;
  Nanoseconds preview = 0;
  Nanoseconds stop = 0;  ///< until the last worker was reaped
};

/// What writing --output took.
struct OutputReport {
  std::uint64_t bytes = 0;  ///< of the file
  PictureTimes times;
  Nanoseconds writing = 0;  ///< in the system's calls
};

struct RunResult {
  RunStatus status = RunStatus::kDone;
  std::string error;
  std::vector<GivenUpRows> given_up;
  bool all_answered = false;  ///< every chunk is done or given up: no row is missing unsaid
  std::vector<std::string> warnings;
  std::uint64_t retries = 0;
  std::string wait;      ///< the wait mode in force; empty where nobody waits for another process
  Nanoseconds wall = 0;  ///< from the first spawn until the grid is complete and its checksum known
  Phases phases;
  std::optional<OutputReport> output;  ///< nothing where no file was written
  std::optional<Budget> budget;        ///< nothing with --times off
  Traffic traffic;                     ///< bytes that went through the channels
  std::vector<double> repeats;         ///< seconds of a loop, for each repeat after the first run
  AuditedRun audited;                  ///< what the certificate is made of
  std::optional<Certificate> certificate;  ///< with --audit
  std::optional<ChaosReport> chaos;        ///< with --chaos
  std::vector<WorkerRow> workers;
  std::vector<RowsPlacement> placements;  ///< of all chunks done in the first run, by rows
  std::optional<ProcessMemory> master_memory;
  bool has_checksum = false;
  Checksum checksum;
  std::optional<bool> verified;  ///< nothing: there was nothing to verify against
  std::string verdict;           ///< in words
  std::string preview;           ///< what was shown of it, in words
  Buffer grid;
};

/// Runs the job over the transport that the options name, or inside this process. Throws Error if
/// nothing can be run.
RunResult Execute(const RunSetup& setup);

/// Lets go of what the run still holds, then certifies that nothing is left. A certificate that
/// does not pass is a failure.
void Certify(RunSetup& setup, RunResult& result);

/// Compares the checksum as the options say and sets verified, verdict and status.
void Verify(const RunSetup& setup, RunResult& result);

/// Writes --output, if there is one and the grid may be shown.
void WriteOutput(RunSetup& setup, RunResult& result);

/// Shows --preview where --output would be written; `fd` is the stream of the summary.
void Preview(const RunSetup& setup, RunResult& result, int fd);

}  // namespace procpool
