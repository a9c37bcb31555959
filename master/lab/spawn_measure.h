// The measuring of `master spawn`: contenders in rounds whose order rotates, so that what drifts
// falls on all alike; sweeps over what the parent carries; pools.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "master/lab/spawn_burden.h"
#include "master/lab/spawn_contenders.h"

namespace procpool {

/// One contender at one level of a sweep; `rounds` of all series measured together are of equal
/// length and in the order of time.
struct SpawnSeries {
  SpawnContender* contender = nullptr;
  double level = 0;
  std::vector<SpawnTimes> rounds{};

  /// In seconds, one value a round; rounds without such a point are left out.
  std::vector<double> Usable() const;
  std::vector<double> Until(SpawnPoint point) const;
  std::vector<double> Stage(SpawnPoint end) const;
  std::vector<double> Total() const;
};

/// Each contender `rounds` times with `at_once` lives together, after a warm-up. Those that fork
/// have rounds of their own: a large fork empties the caches and leaves every page of the parent to
/// be copied when it is next written, which its neighbours shall not pay for.
std::vector<SpawnSeries> MeasureSpawns(std::span<SpawnContender* const> contenders,
                                       std::size_t rounds, std::size_t at_once, double level);

/// Carries each level's burden in turn, upwards with half of the rounds and downwards with the
/// other half, so that a steady drift cancels out. Levels that the machine does not bear are left
/// out and named in `warnings`.
std::vector<SpawnSeries> SweepSpawns(
    std::span<SpawnContender* const> contenders, std::size_t rounds,
    const std::vector<double>& levels,
    const std::function<std::unique_ptr<SpawnBurden>(double)>& burden,
    std::vector<std::string>& warnings);

/// The start and stop of one kind of pool; one value a round, in seconds. `workers` has one value a
/// worker.
struct PoolStarts {
  std::string method, transport;
  std::vector<double> all_ready{}, stop{};
  std::vector<double> worker_call{}, worker_to_main{}, worker_to_ready{};
};

struct PoolComparison {
  std::vector<SpawnSeries> raw;  ///< the contenders, `procs` at once
  std::vector<PoolStarts> pools;
};

/// Pools of `procs` workers by each method over each transport, and in the same rounds the raw
/// contenders. Throws Error{kMachine} if a pool is not ready in time.
PoolComparison MeasurePools(std::span<SpawnContender* const> raw,
                            const std::vector<std::string>& methods, const std::string& worker,
                            std::size_t procs, std::size_t rounds);

}  // namespace procpool
