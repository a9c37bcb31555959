// What a chunk costs a worker, and from that how long a job takes: pure arithmetic.
//
//   time of a chunk = per_chunk + per_byte * bytes + per_unit * work
//
// `bytes` is what travels in both directions, `work` the steps of iteration. The three are fitted
// to measured chunks by least squares of the error relative to the prediction, so that a chunk of
// 50 µs counts as much as one of 5 ms. (Relative to the measured time, chunks that were disturbed
// would count less than the others, and everything would come out too cheap.) The weights are those
// of the fit before, a few times over, and smaller for what is far off (Huber, 1964). A term that
// would come out negative is left out.
#pragma once

#include <cstddef>
#include <vector>

#include "master/plan.h"

namespace procpool {

struct ChunkCost {
  double bytes = 0;
  double work = 0;
};

struct ChunkSample {
  ChunkCost cost;
  double seconds = 0;  ///< that the worker was busy with it
};

struct CostModel {
  double per_chunk = 0;  ///< seconds
  double per_byte = 0;
  double per_unit = 0;
  double error = 0;  ///< median of |predicted - measured| / measured over the samples

  double SecondsOf(const ChunkCost& cost) const {
    return per_chunk + per_byte * cost.bytes + per_unit * cost.work;
  }
};

/// Throws std::invalid_argument with fewer samples than terms.
CostModel FitCost(const std::vector<ChunkSample>& samples);

/// How long the workers take for chunks of these times, in seconds: a worker without a chunk takes
/// the next one (or, with owners, the next of its own); workers that are at work share the CPUs
/// evenly. The master is not in it.
double SimulateWorkers(const std::vector<double>& chunk_seconds,
                       const std::vector<unsigned>& owners, unsigned procs, unsigned cpus);

/// Cost of every chunk of a plan. work_before[r] is the work in the rows before row r.
std::vector<ChunkCost> CostsOf(const Plan& plan, const std::vector<double>& work_before,
                               double bytes_per_row, double bytes_per_chunk);

}  // namespace procpool
