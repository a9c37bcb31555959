// The tasks of a worker that commits faults: what happens to a chunk between its arrival and its
// answer.
#pragma once

#include <functional>
#include <span>

#include <procpool/detail/task_registry.h>
#include "common/shared_region.h"
#include "worker/fault_injector.h"

namespace procpool {

struct FaultySide {
  FaultInjector& faults;
  const RegionTable& regions;
  /// Told where a result lies that is in shared memory.
  std::function<void(std::span<std::byte>)> placed_at;
};

/// The same tasks, which commit what strikes them. `side` must outlive them.
TaskRegistry FaultyTasks(const TaskRegistry& tasks, const FaultySide& side);

}  // namespace procpool
