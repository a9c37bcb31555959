// The lines in which a pool's single calls stand (call_line.h): one for each task and its options.
//
// Calls and jobs are given out in the order in which they were made. A line in which somebody waits
// is therefore closed when a job begins: who comes after the job stands in another line, behind it.
//
// Used on the pool's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <procpool/detail/batch.h>
#include <procpool/options.h>
#include "master/call_line.h"
#include "master/map_job.h"
#include "master/worker_pool.h"

namespace procpool {

/// A line, as a job of a pool.
struct RunningLine {
  MapJobOptions options;
  std::shared_ptr<CallLine> line;
  std::shared_ptr<MapJob> job;
  std::uint32_t id = 0;  ///< the job's, for the dispatch
};

/// A call that was given to a pool. Of one pool only.
struct StartedCall {
  std::weak_ptr<RunningLine> line;  ///< on the pool's thread only
  std::uint64_t number = 0;         ///< in it; on the pool's thread only
};

class CallLines {
 public:
  /// call_ended: see CallLine. job_options: what all lines' jobs have in common.
  CallLines(WorkerPool& workers, const JobOptions& job_options, std::function<void()> call_ended);

  /// A batch of one call begins; it ends with its Ended(), whatever happens.
  void Begin(std::shared_ptr<detail::Batch> call, const MapJobOptions& options,
             StartedCall& started);
  /// It will end soon, if it has not ended.
  void Cancel(const StartedCall& call);
  /// A job is about to begin.
  void MakeWayForJob();

 private:
  std::shared_ptr<RunningLine> Find(const detail::Batch& call, const MapJobOptions& options);
  std::shared_ptr<RunningLine> Open(const detail::Batch& call, const MapJobOptions& options);
  void Seal(std::size_t place);

  WorkerPool& workers_;
  JobOptions job_options_;
  std::function<void()> call_ended_;
  std::vector<std::shared_ptr<RunningLine>> lines_;  // not sealed; the one used last at the end
};

}  // namespace procpool
