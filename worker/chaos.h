// A worker that commits faults: its channel and its tasks with the faults around them.
#pragma once

#include "worker/fault_injector.h"
#include "worker/faulty_channel.h"
#include "worker/faulty_tasks.h"

namespace procpool {

class Chaos {
 public:
  /// All of these must outlive it.
  Chaos(FaultInjector& faults, Channel& channel, const RegionTable& regions,
        const TaskRegistry& tasks)
      : channel_(channel, faults),
        side_{faults, regions, [this](std::span<std::byte> place) { channel_.PlacedAt(place); }},
        tasks_(FaultyTasks(tasks, side_)) {}
  Chaos(const Chaos&) = delete;
  Chaos& operator=(const Chaos&) = delete;

  Channel& channel() { return channel_; }
  const TaskRegistry& tasks() const { return tasks_; }

 private:
  FaultyChannel channel_;
  FaultySide side_;
  TaskRegistry tasks_;
};

}  // namespace procpool
