// A task: a named function in the worker, bytes in and bytes out. One object serves one job; its
// items come one after the other, so a task needs no locks and may keep what it computed from the
// job's context.
//
// An exception that leaves Run() or the factory is an answer ("failed", with its type and text),
// not a death.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "common/clock.h"

namespace procpool {

/// What a task does beside computing.
enum class TaskStage { kDecode, kEncode };

/// Takes a task's result, piece by piece, in order.
class TaskOutput {
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

  /// Whether this item's times are wanted; if not, a task need not read the clock.
  virtual bool timed() const { return false; }
  /// How long the task decoded its input or encoded its result, on the clock of Now(): counted
  /// apart from computing.
  virtual void Spent(TaskStage /*stage*/, Nanoseconds /*duration*/) {}
};

class Task {
 public:
  virtual ~Task() = default;
  /// `input` is valid during the call.
  virtual void Run(std::span<const std::byte> input, TaskOutput& output) = 0;
};

/// Makes a task for a job from the job's context (valid during the call).
using TaskFactory = std::function<std::unique_ptr<Task>(std::span<const std::byte> context)>;

}  // namespace procpool
