// How long a pool takes to start and to stop, beside the raw cost of as many processes.
#include <algorithm>
#include <string>

#include <procpool/error.h>
#include "master/lab/spawn_measure.h"
#include "master/worker_pool.h"

namespace procpool {
namespace {

constexpr Nanoseconds kReadyDeadline = 30 * kSecond;

void StartAndStop(PoolStarts& starts, const std::string& worker, std::size_t procs, bool counts) {
  const Nanoseconds begun = Now();
  WorkerPool pool({.procs = procs,
                   .transport = starts.transport,
                   .worker_program = worker,
                   .spawn = starts.method});
  if (!pool.WaitUntilReady(Deadline::After(kReadyDeadline))) {
    throw Error(Blame::kMachine, {"start", "pool over " + starts.transport,
                                  "not all workers were ready in time", "use fewer workers"});
  }
  const std::vector<SpawnRecord> records = pool.Records();
  const Nanoseconds stopping = Now();
  pool.Close();
  if (!counts) return;
  starts.stop.push_back(Seconds(Now() - stopping));
  Nanoseconds last = begun;
  for (const SpawnRecord& record : records) {
    last = std::max(last, record.ready);
    starts.worker_call.push_back(Seconds(record.spawn_returned - record.spawned));
    starts.worker_to_main.push_back(Seconds(record.main_reached - record.spawn_returned));
    starts.worker_to_ready.push_back(Seconds(record.ready - record.main_reached));
  }
  starts.all_ready.push_back(Seconds(last - begun));
}

}  // namespace

PoolComparison MeasurePools(std::span<SpawnContender* const> raw,
                            const std::vector<std::string>& methods, const std::string& worker,
                            std::size_t procs, std::size_t rounds) {
  PoolComparison comparison;
  for (SpawnContender* contender : raw) {
    LiveThrough(*contender, procs);
    comparison.raw.push_back({contender, static_cast<double>(procs)});
  }
  for (const std::string& method : methods) {
    for (const Transport& transport : Transports()) {
      comparison.pools.push_back({method, std::string(transport.name)});
      StartAndStop(comparison.pools.back(), worker, procs, false);
    }
  }
  const std::size_t count = comparison.raw.size() + comparison.pools.size();
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = (i + round) % count;
      if (at < comparison.raw.size()) {
        SpawnSeries& series = comparison.raw[at];
        series.rounds.push_back(LiveThrough(*series.contender, procs));
      } else {
        StartAndStop(comparison.pools[at - comparison.raw.size()], worker, procs, true);
      }
    }
  }
  return comparison;
}

}  // namespace procpool
