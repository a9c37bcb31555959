// How a call can fail. Every one of these is a procpool::Error, and its what() is one line that
// names the task, the call, the cause and what to do.
//
//   TaskFailed        the task threw
//   WorkerDied        its worker ended while it ran
//   TimedOut          it took longer than it was allowed; its worker was killed
//   SignatureRefused  the worker's task of that name has another type
//   Cancelled         it was cancelled, or the pool terminated, before it had a result
//   PoolClosed        thrown by the call itself: the pool takes no more
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include <procpool/detail/export.h>
#include <procpool/error.h>

namespace procpool {

/// A call that reached a worker and has no result.
class PROCPOOL_EXPORT CallError : public Error {
 public:
  /// Which call it was, and where it ran.
  struct Where {
    std::string task;        ///< its name
    std::uint64_t call = 0;  ///< its place in the range that was mapped; 0 for a single call
    pid_t worker = -1;       ///< process that had it last
  };

  /// Made by the pool.
  CallError(const Where& where, const std::string& cause, const std::string& remedy);

  /// Name of the task.
  const std::string& task() const { return where_.task; }
  /// Place of the call in the range that was mapped; 0 for a single call.
  std::uint64_t call() const { return where_.call; }
  /// Process that had it last, -1 if none had.
  pid_t worker() const { return where_.worker; }

 private:
  Where where_;
};

/// The task threw.
class PROCPOOL_EXPORT TaskFailed : public CallError {
 public:
  /// Made by the pool.
  TaskFailed(const Where& where, std::string type, std::string text);

  /// Type of the exception in the worker, "std::out_of_range".
  const std::string& type() const { return type_; }
  /// Its what(), cut at 4 KiB.
  const std::string& text() const { return text_; }

 private:
  std::string type_;
  std::string text_;
};

/// The worker ended while it ran the call.
class PROCPOOL_EXPORT WorkerDied : public CallError {
 public:
  /// Made by the pool.
  WorkerDied(const Where& where, const std::string& how, std::optional<int> signal,
             std::optional<int> exit_code);

  /// The signal that killed it, if one did.
  std::optional<int> signal() const { return signal_; }
  /// What it passed to exit(), if it did.
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  std::optional<int> signal_;
  std::optional<int> exit_code_;
};

/// The call took longer than it was allowed (CallOptions::timeout); its worker was killed.
class PROCPOOL_EXPORT TimedOut : public CallError {
 public:
  /// Made by the pool.
  using CallError::CallError;
};

/// The worker's task of that name has another type.
class PROCPOOL_EXPORT SignatureRefused : public CallError {
 public:
  /// Made by the pool.
  using CallError::CallError;
};

/// The call was cancelled, or the pool terminated, before there was a result.
class PROCPOOL_EXPORT Cancelled : public Error {
 public:
  /// Made by the pool.
  Cancelled();
};

/// Thrown by the call itself: the pool takes no more.
class PROCPOOL_EXPORT PoolClosed : public Error {
 public:
  /// Made by the pool.
  PoolClosed();
};

}  // namespace procpool
