// What this machine gives us: CPUs this process may use, memory it may still take, and its
// description for reports.
//
// Limits come from the scheduler's affinity mask, /proc/meminfo and the cgroups (v1 and v2) of this
// process with every ancestor that is visible. `root` is where /proc and /sys are looked for; tests
// give a directory of their own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace procpool {

struct HostInfo {
  unsigned cpus = 1;   ///< UsableCpus()
  std::string model;   ///< CPU model, e.g. "AMD EPYC"
  std::string kernel;  ///< "Linux 6.1.0"
};

HostInfo DescribeHost();

/// CPUs of the affinity mask, but no more than the smallest cgroup quota rounded up. At least 1.
unsigned UsableCpus(const std::string& root = "");

/// Bytes that can still be allocated: the least of MemAvailable and of limit - usage + reclaimable
/// cache over the cgroups. A limit that cannot be read does not count.
std::uint64_t AvailableMemory(const std::string& root = "");

/// Bytes of a process that are in memory and not shared with others (a mapped file or memfd is); 0
/// if it cannot be told.
std::uint64_t PrivateResidentBytes(pid_t pid);

/// Throws Error{kMachine} if `bytes` for `what` exceed AvailableMemory().
void RequireMemory(std::uint64_t bytes, std::string_view what);

}  // namespace procpool
