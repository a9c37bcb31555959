// A worker is set up: its control socket, mark and channel are made, it is told what it is, its
// process is started, and the far ends are closed here, so that only the worker has them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/channel_factory.h"
#include "common/clock.h"
#include "common/work_mark.h"
#include "master/worker_process.h"

namespace procpool {

/// What the master holds of one worker beside its process. The channel refers to the control socket
/// and the regions: not to be moved while it lives.
struct WorkerEnds {
  std::optional<ControlSocket> control;
  std::optional<WorkMark> mark;
  RegionTable regions;  ///< what this worker was given to share
  std::unique_ptr<Channel> channel;
  std::function<void()> far_opened;  ///< to be called when READY has come, or never will
};

struct WorkerPlan {
  const Transport* transport = nullptr;
  std::size_t workers = 1;  ///< of the whole pool
  std::string program;
  std::size_t slot = 0;
  std::uint64_t life = 0;  ///< the how-manieth process of its slot, from 0
  std::string faults{};    ///< which it shall commit (fault_plan.h)
  Nanoseconds spin = 0;
  std::string log_level = "warning";
  unsigned long fd_soft_limit = 0;  ///< for the worker; 0: that of the master
};

/// Makes the process of a worker; what SpawnMethods() offers, or another way.
using MakeProcess = std::function<WorkerProcess(const WorkerProcess::Command&)>;

/// Fills `ends` anew and starts the worker. Throws what the parts throw; then `ends` is of no use.
WorkerProcess SetUpWorker(const WorkerPlan& plan, WorkerEnds& ends, const MakeProcess& make);

}  // namespace procpool
