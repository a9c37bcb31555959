// What `--chaos` did to a run: which faults struck and how often, what became of the workers they
// struck, and how long it took until the lost chunk was given out again.
//
// The times of faults are the workers' own words, read from memory that outlives them. All times
// are of one clock (CLOCK_MONOTONIC).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "master/job_report.h"
#include "master/spawn_record.h"

namespace procpool {

struct ChaosReport {
  struct Injected {
    std::string rule;  ///< as it was written
    std::uint64_t times = 0;
  };
  /// A worker that ended otherwise than it was told to.
  struct Death {
    std::size_t slot = 0;
    pid_t pid = 0;
    std::string exit;
    std::string rule;                     ///< the fault it committed last; empty: none
    std::optional<std::uint64_t> item{};  ///< the chunk that was lost and given out again
    std::optional<std::uint32_t> attempt{};
    /// From the fault until the master knew of the death, and until the chunk was given out again.
    std::optional<Nanoseconds> seen{};
    std::optional<Nanoseconds> recovered{};
  };
  std::vector<Injected> injected;
  std::vector<Death> deaths;

  /// Of all deaths after which a chunk was given out again, in order of size.
  std::vector<Nanoseconds> Recoveries() const;
  std::vector<Nanoseconds> Sightings() const;
};

/// records: of workers that have all ended. Throws what ParseFaultPlan() throws.
ChaosReport MakeChaosReport(const std::string& spec, const std::vector<SpawnRecord>& records,
                            const std::vector<Recovery>& recoveries);

}  // namespace procpool
