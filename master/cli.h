// The command line of `master`: what may be said, what is allowed, and the help.
//
// Promise: whatever is wrong with the command line itself gives one clear line on standard error
// and exit code 2, before anything was started. What can only be known from files is checked by
// Prepare() (run.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/rows_payload.h"
#include "common/workload.h"
#include "master/plan.h"
#include "master/preview_mode.h"
#include "master/worker_pool.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace procpool {

/// Where the coordinates of payload `coords` lie before the job begins.
enum class CoordsInput {
  kComputed,  ///< nowhere: each chunk's are computed when it is given out
  kArray,     ///< in ordinary memory of the master
  kShared,    ///< in memory shared with the workers, if the transport shares memory
};

enum class VerifyMode { kAuto, kExpected, kSerial, kNone };

struct RunOptions {
  unsigned procs = 0;        ///< never 0 after parsing
  std::uint64_t chunks = 0;  ///< likewise
  std::string workload = "julia-book";
  WorkloadOverrides overrides;
  std::string transport = "shm";  ///< pipe, queue, shm, threads or serial
  Schedule schedule = Schedule::kDynamic;
  RowsPayload payload = RowsPayload::kRows;
  CoordsInput input = CoordsInput::kComputed;
  std::string codec = "raw";
  std::string kernel = "auto";
  std::string spawn{DefaultSpawnMethod().name};
  WaitMode wait = WaitMode::kAuto;
  double timeout = 0;  ///< seconds for a chunk; 0: none
  unsigned retries = 3;
  std::uint64_t max_restarts = 1000;
  double restart_window = 10;  ///< seconds
  std::uint64_t max_chunks_per_worker = 0;
  VerifyMode verify = VerifyMode::kAuto;
  std::string output;
  bool partial = false;
  std::string colormap = "pure-gray";
  std::optional<PreviewMode> preview;
  std::string json;  ///< file, "-" for standard output, empty for none
  bool quiet = false;
  bool budget = false;  ///< print all of it
  bool times = true;    ///< chunks carry their times
  unsigned repeat = 0;  ///< timed repeats after the first run
  unsigned loops = 1;   ///< runs in each of them
  std::string log_level = "warning";
  std::string worker;         ///< path; empty: beside master
  std::string chaos;          ///< faults that the workers shall commit (fault_plan.h)
  double ready_timeout = 10;  ///< seconds until a worker is ready
  double grace = 2;           ///< seconds for leaving after STOP, and again after SIGTERM
  bool audit = false;         ///< a certificate at the end

  bool InProcess() const { return transport == "threads" || transport == "serial"; }
};

std::string_view PayloadName(RowsPayload payload);
std::string_view InputName(CoordsInput input);

/// A command beside `run`: adds its options to the command line and returns what to do once they
/// are read, which gives the exit code.
struct Subcommand {
  std::string name;
  std::string description;
  std::function<std::function<int()>(CLI::App&)> add;
};

struct Command {
  std::optional<int>
      exit_code;  ///< set: all is said (help, version, list, or an error), leave with it
  std::function<int()> laboratory;  ///< set: this instead of a run
  RunOptions run;
};

Command ParseCommandLine(int argc, char** argv, const std::vector<Subcommand>& laboratory);

}  // namespace procpool
