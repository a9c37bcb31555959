// The worker's loop: take frames, run items, send results, until STOP or until the master is gone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <procpool/detail/task_registry.h>
#include "common/channel.h"
#include "common/work_mark.h"
#include "worker/exception_text.h"
#include "worker/worker_regions.h"

namespace procpool {

enum class LoopEnd { kStopped, kMasterGone, kBroken };

class WorkerLoop final : private FrameSink {
 public:
  WorkerLoop(Channel& channel, WorkMark& mark, WorkerRegions& regions, const TaskRegistry& registry)
      : channel_(channel), mark_(mark), regions_(regions), registry_(registry) {}

  /// Announces READY, then serves.
  LoopEnd Run(Nanoseconds main_reached);

 private:
  struct Job {
    std::uint32_t task = 0;
    std::unique_ptr<ByteTask> object;  // null if it could not be made; then `error` says why
    ExceptionText error;
  };

  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override;
  void Take(const Frame& frame) override;

  std::unique_ptr<ByteTask> MakeTask(std::string_view name,
                                     std::span<const std::byte> context) const;
  void BeginJob(const Frame& frame);
  void Initialize(const Frame& frame);
  void RunItem(const Frame& frame);
  void SendSoon(Nanoseconds begun);
  void SendGathered();

  Channel& channel_;
  WorkMark& mark_;
  WorkerRegions& regions_;
  const TaskRegistry& registry_;
  std::map<std::uint32_t, Job> jobs_;
  std::unique_ptr<ByteTask> initializer_;
  std::vector<std::byte> input_;
  std::vector<std::byte> piece_;
  Nanoseconds gathering_since_ = 0;  // 0: nothing gathered
  std::uint32_t gathering_of_ = 0;   // that job's results
  unsigned tiny_in_a_row_ = 0;
  std::uint64_t items_taken_ = 0;  // revocations.h
  std::size_t items_at_once_ = 0;  // since the loop last waited
  Nanoseconds turned_ = 0;         // when the loop was last through with all it had; of timed items
  bool timed_ = false;             // the last item was
  bool stop_ = false;
};

}  // namespace procpool
