// What processes use: CPU time, context switches, memory.
//
// CPU time is exact to the nanosecond (a process' CPU clock, clock_getcpuclockid(3)); context
// switches come from /proc/PID/status, memory from there and from /proc/PID/smaps_rollup. A process
// that is gone, or not ours to look at, gives nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "common/clock.h"

namespace procpool {

struct ProcessUsage {
  Nanoseconds cpu = 0;
  std::uint64_t voluntary_switches = 0;    ///< it waited
  std::uint64_t involuntary_switches = 0;  ///< it was made to wait
};
/// Of all threads. Of this process, threads that have ended included: UsageOfThisProcess().
std::optional<ProcessUsage> UsageOf(pid_t pid);
ProcessUsage UsageOfThisProcess();

/// Bytes.
struct ProcessMemory {
  std::uint64_t resident = 0;       ///< RSS: pages in memory, shared ones counted in full
  std::uint64_t peak_resident = 0;  ///< the most RSS ever was
  std::uint64_t proportional = 0;   ///< PSS: shared pages divided by the number of their users
};
std::optional<ProcessMemory> MemoryOf(pid_t pid);

}  // namespace procpool
