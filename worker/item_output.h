// The result of one item on its way to the master: in place where the item came with a place both
// sides share, else in pieces of up to 256 KiB through the channel, so that a result of any size
// needs little memory here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <procpool/detail/byte_task.h>
#include "common/channel.h"
#include "common/work_mark.h"
#include "worker/exception_text.h"
#include "worker/worker_regions.h"

namespace procpool {

/// The master has gone, or has broken the protocol: the worker has nothing left to do.
struct MasterGone {};

/// Sends all that is posted; waits for room as long as the master lives. Throws MasterGone.
void FlushToMaster(Channel& channel);
/// Posts a frame, waiting for room if need be. Throws MasterGone.
void PostToMaster(Channel& channel, const OutFrame& frame);

/// What a worker has, whatever the item.
struct WorkerSide {
  Channel& channel;
  WorkMark& mark;
  WorkerRegions& regions;
};

class ItemOutput final : public TaskOutput {
 public:
  /// `piece` is the worker's staging memory, reused from item to item.
  ItemOutput(WorkerSide side, const Frame& item, std::vector<std::byte>& piece);

  std::span<std::byte> Reserve(std::size_t most) override;
  void Commit(std::size_t bytes) override;

  void BeginStep(std::uint64_t step) override {
    mark_.Step(step, (item_.header.flags & kWatched) != 0 ? Now() : 0);
  }
  void FailStep(std::uint64_t step) override;
  std::shared_ptr<SharedMemory> Shared(std::uint32_t id) override { return regions_.Find(id); }

  bool timed() const override { return (item_.header.flags & kTimed) != 0; }
  void Spent(TaskStage stage, std::int64_t duration) override;

  /// Posts the last piece, with the times if the item asked for them.
  void Finish(ResultAnnex times);
  /// Posts the task's failure instead.
  void Fail(const ExceptionText& exception);
  /// Posts that the initializer has run.
  void InitDone(Nanoseconds duration);

  Nanoseconds sending() const { return sending_; }
  Nanoseconds sending_cpu() const { return sending_cpu_; }
  Nanoseconds decoding() const { return decoding_; }
  Nanoseconds encoding() const { return encoding_; }

 private:
  OutFrame Answer(FrameType type) const;
  void SendPiece();

  void PostException(FrameType type, std::string words, const ExceptionText& exception);

  Channel& channel_;
  WorkMark& mark_;
  WorkerRegions& regions_;
  const Frame& item_;
  std::vector<std::byte>& piece_;
  std::size_t piece_used_ = 0;
  std::size_t placed_ = 0;    // bytes written in place
  std::uint64_t offset_ = 0;  // where the current piece begins in the result
  Nanoseconds sending_ = 0;
  Nanoseconds sending_cpu_ = 0;
  Nanoseconds decoding_ = 0;
  Nanoseconds encoding_ = 0;
};

}  // namespace procpool
