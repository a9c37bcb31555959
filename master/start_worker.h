// The steps that make one worker: control socket, mark, channel, process, in this order. Whoever
// speaks with a worker begins here.
//
// Promise: the far ends are in the worker alone; what was made is unmade if a later step throws.
// The worker is not ready yet: its READY comes through the channel.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/channel_factory.h"
#include "common/work_mark.h"
#include "master/worker_process.h"

namespace procpool {

struct WorkerStart {
  const Transport& transport;
  std::string program{};    ///< path of the worker program
  std::size_t slot = 0;     ///< its number, for its log
  std::size_t workers = 1;  ///< how many there will be, for sharing out limited buffers
  Nanoseconds spin = 0;     ///< before parking
  std::string log_level = "warning";
  unsigned long fd_soft_limit = 0;  ///< what the worker's soft descriptor limit is set to; 0: kept
};

struct StartedWorker {
  WorkerProcess process;
  std::unique_ptr<Channel> channel;
  std::function<void()> far_opened;  ///< to be called once READY came
};

/// `control`, `mark` and `regions` are the caller's and must outlive the channel; the first two are
/// replaced. Throws Error: kUser if the program cannot be executed, kMachine if the system cannot
/// spawn.
StartedWorker StartWorker(const WorkerStart& start, std::optional<ControlSocket>& control,
                          std::optional<WorkMark>& mark, RegionTable& regions);

}  // namespace procpool
