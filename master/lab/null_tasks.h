// Tasks that compute nothing, through the whole pool: what a task costs besides its work.
//
//   stream       one job of many items of 8 bytes; the rate
//   closed loop  one job of one item after the other; each one's time from Run() to its report
//
// Each answer is compared with its item. Workers are alive and ready before the clock starts. A
// pool lives for one round only, for an idle pool that spins would disturb the others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "master/lab/ipc_options.h"

namespace procpool {

struct NullTasks {
  std::string transport;
  WaitMode wait = WaitMode::kPark;
  std::uint64_t tasks = 0;       ///< of all streams
  std::vector<double> rates{};   ///< of each round: tasks a second
  std::vector<double> single{};  ///< of all rounds: seconds of a job of one task
};

/// One for each transport and wait mode. Throws Error if a job fails.
std::vector<NullTasks> MeasureNullTasks(const IpcOptions& options);

}  // namespace procpool
