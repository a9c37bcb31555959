// What may be chosen on the command line, by name: shared by the commands that run jobs.
#pragma once

#include <string>

#include "master/cli.h"
#include "master/cli_option.h"

namespace procpool {

inline constexpr unsigned kMostProcs = 1024;
inline constexpr std::uint64_t kMostChunks = 1'000'000'000;
inline constexpr std::uint64_t kChunksPerWorker = 8;  ///< the default

Names<std::string> KernelChoices();
/// Transports, then the baselines `threads` and `serial`.
Names<std::string> TransportChoices();
Names<std::string> CodecChoices();
Names<std::string> SpawnChoices();
Names<Schedule> ScheduleChoices();
Names<RowsPayload> PayloadChoices();
Names<CoordsInput> InputChoices();
Names<WaitMode> WaitChoices();

/// --workload, --list-workloads, --width, --height, --max-iterations, --c.
void AddWorkloadOptions(CLI::App& app, RunOptions& options);

}  // namespace procpool
