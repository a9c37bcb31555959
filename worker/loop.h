// The worker's loop: take frames, run items, send results, until STOP or until the master is gone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/channel.h"
#include "common/work_mark.h"
#include "worker/task_registry.h"

namespace procpool {

enum class LoopEnd { kStopped, kMasterGone, kBroken };

class WorkerLoop final : private FrameSink {
 public:
  WorkerLoop(Channel& channel, WorkMark& mark, const TaskRegistry& registry)
      : channel_(channel), mark_(mark), registry_(registry) {}

  /// Announces READY, then serves.
  LoopEnd Run(Nanoseconds main_reached);

 private:
  struct Job {
    std::uint32_t task = 0;
    std::unique_ptr<Task> object;  // null if it could not be made; then `error` says why
    std::string error_type, error_text;
  };

  std::optional<std::span<std::byte>> PlaceFor(const FrameHeader& header) override;
  void Take(const Frame& frame) override;

  void BeginJob(const Frame& frame);
  void RunItem(const Frame& frame);
  void SendSoon(Nanoseconds begun);

  Channel& channel_;
  WorkMark& mark_;
  const TaskRegistry& registry_;
  std::map<std::uint32_t, Job> jobs_;
  std::vector<std::byte> input_;
  std::vector<std::byte> piece_;
  Nanoseconds gathering_since_ = 0;  // 0: nothing gathered
  unsigned tiny_in_a_row_ = 0;
  std::size_t items_at_once_ = 0;  // since the loop last waited
  Nanoseconds turned_ = 0;         // when the loop was last through with all it had; of timed items
  bool timed_ = false;             // the last item was
  bool stop_ = false;
};

}  // namespace procpool
