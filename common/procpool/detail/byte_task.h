// A task as the worker runs it: a named function, bytes in and bytes out. One object serves one
// job; its items come one after the other, so a task needs no locks and may keep what it computed
// from the job's context. What users write are functions of their own types; typed_task.h makes a
// ByteTask of one.
//
// An exception that leaves Run() or the factory is an answer ("failed", with its type and text),
// not a death.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include <procpool/detail/export.h>

namespace procpool {

/// What a task does beside computing.
enum class TaskStage { kDecode, kEncode };

/// Memory that the master shares with this worker, as long as somebody holds it.
struct SharedMemory;

/// What a task has to do with while it runs one item. Above all it takes the item's result, piece
/// by piece, in order.
class PROCPOOL_EXPORT TaskOutput {
 public:
  virtual ~TaskOutput() = default;
  /// Room for the next at least 1 and at most `most` bytes. Where the transport shares memory this
  /// is the result's final place, which makes the result free of copies; it is then refused
  /// (std::length_error) beyond that place.
  virtual std::span<std::byte> Reserve(std::size_t most) = 0;
  /// The first `bytes` of what was reserved are written.
  virtual void Commit(std::size_t bytes) = 0;
  /// Copies bytes in.
  void Write(std::span<const std::byte> bytes);

  /// An item may consist of steps, one after the other; each counts as begun when it is told here,
  /// so that the right one is blamed for a death and each has its own time.
  virtual void BeginStep(std::uint64_t /*step*/) {}
  /// To be called while an exception is being handled: the step's answer is that exception, and the
  /// item goes on. Of an initializer it is thrown again.
  virtual void FailStep(std::uint64_t step) = 0;
  /// The shared memory of that number. Throws std::invalid_argument if the master gave none.
  virtual std::shared_ptr<SharedMemory> Shared(std::uint32_t id) = 0;

  /// Whether this item's times are wanted; if not, a task need not read the clock.
  virtual bool timed() const { return false; }
  /// How long the task decoded its input or encoded its result, in nanoseconds of the monotonic
  /// clock: counted apart from computing.
  virtual void Spent(TaskStage /*stage*/, std::int64_t /*duration*/) {}
};

class PROCPOOL_EXPORT ByteTask {
 public:
  virtual ~ByteTask() = default;
  /// `input` is valid during the call.
  virtual void Run(std::span<const std::byte> input, TaskOutput& output) = 0;
};

/// Makes a task for a job from the job's context (valid during the call).
using TaskFactory = std::function<std::unique_ptr<ByteTask>(std::span<const std::byte> context)>;

}  // namespace procpool
