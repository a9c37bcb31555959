// `master compare`: the same job done in several ways, measured side by side.
//
// Every way is warmed up, then all of them run once in each round, in an order that is shuffled
// anew for each round (with a fixed seed), so that what disturbs the machine falls on all alike.
// Ratios are taken within a round; their median has a distribution-free interval (statistics.h).
// Every run must give the checksum of the workload.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "master/cli.h"
#include "master/lab/contender.h"
#include "master/lab/report.h"

namespace procpool {

struct CompareOptions {
  RunOptions base;  ///< workload, kernel, timeout and what else is the same for all
  std::vector<std::string> transports{"threads", "shm", "pipe", "queue", "serial"};
  std::vector<unsigned> procs;        ///< never empty after parsing
  std::vector<std::uint64_t> chunks;  ///< empty: 8 per worker
  std::vector<Schedule> schedules{Schedule::kDynamic};
  std::vector<RowsPayload> payloads{RowsPayload::kRows};
  std::vector<CoordsInput> inputs{CoordsInput::kComputed};
  std::vector<std::string> codecs{"raw"};
  std::vector<std::string> kernels{"auto"};
  std::vector<WaitMode> waits{WaitMode::kAuto};
  std::vector<bool> times{true};
  std::vector<Temperature> starts{Temperature::kWarm};
  bool peers = false;
  std::string peers_directory;
  unsigned rounds = 21;
  unsigned warm_up = 1;
  ReportTargets targets;
};

/// One row to be: its options, and what it is called.
struct Variant {
  RunOptions options;
  Temperature start = Temperature::kWarm;
  std::optional<PeerProgram> peer{};  ///< another system; nothing: this one

  /// "pipe", "python-pool"
  const std::string& Name() const { return peer ? peer->name : options.transport; }
};

/// Every combination that means something, each once: `serial` knows no workers, the baselines
/// know no codec, only coords have an input, peers know only workload, procs, chunks, payload and
/// whether anything is computed. Throws Error{kUser} if there are too many.
std::vector<Variant> VariantsOf(const CompareOptions& options,
                                const std::vector<PeerProgram>& peers = {});
/// Index of the variant that this one is compared with: threads with the same settings, or with as
/// many of them as there are; without threads the first one.
std::size_t BaselineOf(const std::vector<Variant>& variants, std::size_t index);

Subcommand CompareCommand();

}  // namespace procpool
