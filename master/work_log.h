// What is known of the work that a pool's workers have done, for PoolStatistics. For one thread,
// the pool's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <procpool/statistics.h>
#include "common/wire.h"
#include "master/spawn_record.h"

namespace procpool {

class WorkLog {
 public:
  struct Calls {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };
  /// A chunk was answered by the process of that number (Workers::record()).
  void Add(std::string_view task, Calls calls, const ResultAnnex& times, std::size_t record);
  /// records: of all processes so far, in order.
  PoolStatistics Statistics(const std::vector<SpawnRecord>& records, Nanoseconds now) const;

 private:
  struct Worker {
    std::uint64_t chunks = 0;
    std::uint64_t calls = 0;
    Nanoseconds work = 0;
  };
  struct Slow {
    std::string task;
    Calls calls;
    Nanoseconds work = 0;
    std::size_t record = 0;
  };

  std::vector<Worker> workers_;  // by record
  std::vector<Slow> slowest_;    // the slowest first
};

}  // namespace procpool
