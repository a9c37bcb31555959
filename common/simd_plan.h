// After which steps the points of the kernel `simd` (kernel_simd.h) are packed, and how many of
// them are made between two looks at the norm.
//
// Included like kernel_simd.h.
#pragma once

#include <cstdint>

namespace procpool {
namespace {

class QueuePlan {
 public:
  static constexpr int kMostQueues = 28;  // 24 * 2^27 > 2^31

  QueuePlan() = default;
  /// The first `first` steps are made before the queues. Each queue takes its points about twice as
  /// far as they have come, the last one to `most`; none is needed if `first` is `most`.
  QueuePlan(std::int32_t first, std::int32_t most) {
    std::int32_t steps = first;
    steps_[0] = steps;
    for (std::int64_t length = kShortestBlock; steps < most; length *= 2) {
      const bool last = most - steps - length < length / 2;
      steps = last ? most : steps + static_cast<std::int32_t>(length);
      steps_[++queues_] = steps;
    }
  }

  int queues() const { return queues_; }
  /// How many steps the points of a queue have done; of the one after the last: the limit.
  std::int32_t Steps(int queue) const { return steps_[queue]; }

  /// Lanes that a queue's batches began with, and those of them that left on the way.
  void CountBegun(int queue, int lanes) { begun_[queue] += lanes; }
  void CountLeft(int queue, int lanes) { left_[queue] += lanes; }

  /// How many steps a batch of the queue makes between two looks. A look costs about as much as two
  /// steps of the batch; a lane that has escaped makes its block again, one that goes round made it
  /// in vain. Where d of n lanes leave within L steps, blocks of B cost n * L/B looks and d * B
  /// steps, each times some constant, so that B*B = L * n/d is best, times another one. d and n are
  /// those seen so far.
  std::int32_t BlockOf(int queue) const {
    const std::int32_t length = steps_[queue + 1] - steps_[queue];
    const double leaving = (left_[queue] + 1.0) / (begun_[queue] + 1.0);
    std::int32_t block = kShortestBlock;
    while (block <= length / 2 && 1.0 * block * block * leaving <= length) block *= 2;
    return block <= length / 2 ? block : length;
  }

 private:
  // With it and its doubles orbits are seen to go round whose period is any of 1 to 6, 8, 10,
  // 12, 15.
  static constexpr std::int32_t kShortestBlock = 24;

  int queues_ = 0;
  std::int32_t steps_[kMostQueues + 1] = {};  // NOLINT: std::array leaves functions behind
  double begun_[kMostQueues] = {};            // NOLINT
  double left_[kMostQueues] = {};             // NOLINT
};

}  // namespace
}  // namespace procpool
