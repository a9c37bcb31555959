// Learns what a job costs over one transport: runs it with several numbers of chunks and fits the
// cost model to the chunks' times.
#pragma once

#include <cstdint>
#include <vector>

#include "master/cli.h"
#include "master/lab/cost_model.h"

namespace procpool {

struct Calibration {
  CostModel model;
  double master_per_chunk = 0;  ///< seconds of the master's loop for a chunk
  double master_once = 0;       ///< and for the job, whatever the number of chunks
  double fixed = 0;             ///< seconds of a run that the model does not explain, at the median
  std::vector<double> work_before;  ///< steps of iteration in the rows before each row
  double bytes_per_row = 0;
  double bytes_per_chunk = 0;
  std::size_t samples = 0;
  std::vector<std::uint64_t> chunks;  ///< the numbers of chunks that were run

  /// Wall time of a warm run.
  double Predict(const RunOptions& options, std::uint64_t chunk_count) const;
};

/// `options` name everything but the number of chunks. Throws Error if a run fails.
Calibration Calibrate(const RunOptions& options);

/// Numbers of chunks worth a thought: per worker 1, 2, 3, 4, 6, 8, 12, … up to the rows.
std::vector<std::uint64_t> ChunkLadder(unsigned procs, std::uint64_t rows);

}  // namespace procpool
