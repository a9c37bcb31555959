// What may be asked of `master ipc`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "master/lab/placement.h"
#include "master/lab/report.h"
#include "master/worker_pool.h"

namespace CLI {
class App;
}

namespace procpool {

/// Messages at a fixed rate are short: what is looked at is the waking.
inline constexpr std::size_t kRateBytes = 64;

enum class IpcPart { kLatency, kThroughput, kRate, kTasks };

struct IpcOptions {
  std::vector<std::string> transports;  ///< never empty after AddIpcOptions
  std::vector<WaitMode> waits{WaitMode::kSpin, WaitMode::kHybrid, WaitMode::kPark};
  std::vector<std::size_t> sizes;  ///< bytes of a message; likewise
  std::vector<IpcPart> parts{IpcPart::kLatency, IpcPart::kThroughput, IpcPart::kRate,
                             IpcPart::kTasks};
  Place place = Place::kApart;
  unsigned rounds = 6;
  std::uint64_t messages = 1000;    ///< at most, in one round of one row
  std::vector<double> rates{1000};  ///< messages a second
  unsigned procs = 2;               ///< workers of the pool that runs null tasks
  std::uint64_t tasks = 200'000;    ///< at most, in one run of null tasks
  bool samples = false;             ///< every single round trip into the JSON
  std::string worker;               ///< path; empty: beside master
  ReportTargets targets;

  bool Wants(IpcPart part) const;
  /// Of all messages that may be sent.
  std::size_t LargestSize() const;
};

/// `options` must outlive the parsing.
void AddIpcOptions(CLI::App& app, IpcOptions& options);

}  // namespace procpool
