// The mark a worker makes before it begins an item, in memory that the master can still read when
// the worker is dead.
//
// Results of tiny tasks leave a worker together, so when it dies the oldest item the master has no
// answer to is not always the one that killed it. The mark tells, at the cost of six stores per
// item. An item may consist of steps (the calls of a chunk): which one runs is marked too, and if
// somebody asked for it, since when. It is a hint from a process that may have run wild: the master
// believes it only where it names an item that this worker was given.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/clock.h"
#include "common/fault_tally.h"
#include "common/revocations.h"
#include "common/shared_region.h"
#include "common/unique_fd.h"

namespace procpool {

class WorkMark {
 public:
  struct Value {
    std::uint32_t job = 0;
    std::uint32_t attempt = 0;
    std::uint64_t item = 0;
    std::uint64_t step = 0;
    Nanoseconds begun = 0;  ///< when the step began; 0: not marked
  };

  /// The master's side: a new, private page. Its descriptor is to be inherited by the worker.
  static WorkMark Create() { return WorkMark(SharedRegion::Create(sizeof(Page))); }
  /// The worker's side.
  static WorkMark Open(UniqueFd fd) {
    return WorkMark(SharedRegion::Open(std::move(fd), sizeof(Page)));
  }

  int fd() const { return memory_.fd(); }
  void CloseDescriptor() { memory_.CloseDescriptor(); }

  void Begin(const Value& value) {
    // A worker killed between the stores leaves job 0, which names nothing.
    page_->job.store(0, std::memory_order_relaxed);
    page_->step.store(value.step, std::memory_order_release);
    page_->begun.store(value.begun, std::memory_order_release);
    page_->item.store(value.item, std::memory_order_release);
    page_->attempt.store(value.attempt, std::memory_order_release);
    page_->job.store(value.job, std::memory_order_release);
  }

  /// What the master takes back; beside the mark, in the same page.
  Revocations& revocations() { return page_->revocations; }

  /// What the worker does on purpose; beside the mark as well.
  FaultTally& faults() { return page_->faults; }

  /// The next step of the item begins.
  void Step(std::uint64_t step, Nanoseconds begun) {
    page_->step.store(step, std::memory_order_release);
    page_->begun.store(begun, std::memory_order_release);
  }

  /// What the worker began last; nothing if it began nothing.
  std::optional<Value> Read() const {
    Value value;
    value.job = page_->job.load(std::memory_order_acquire);
    value.attempt = page_->attempt.load(std::memory_order_relaxed);
    value.item = page_->item.load(std::memory_order_relaxed);
    value.step = page_->step.load(std::memory_order_relaxed);
    value.begun = page_->begun.load(std::memory_order_relaxed);
    if (value.job == 0) return std::nullopt;
    return value;
  }

 private:
  struct Page {
    std::atomic<std::uint32_t> job;
    std::atomic<std::uint32_t> attempt;
    std::atomic<std::uint64_t> item;
    std::atomic<std::uint64_t> step;
    std::atomic<std::int64_t> begun;
    Revocations revocations;
    FaultTally faults;
  };
  static_assert(sizeof(Page) <= 4096);

  explicit WorkMark(SharedRegion memory)
      : memory_(std::move(memory)), page_(reinterpret_cast<Page*>(memory_.bytes().data())) {}

  SharedRegion memory_;
  Page* page_;
};

}  // namespace procpool
