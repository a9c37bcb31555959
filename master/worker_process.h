// One worker process, from spawn to reap.
//
// Promise: the process is what every spawn method promises (master/spawn_method.h): a process group
// of its own, standard input from /dev/null, standard output sent to standard error, default signal
// dispositions, an empty signal mask, and no descriptor but 0–2 and those given. It is watched
// through a pidfd, so its pid is never confused with another's. The destructor kills and reaps what
// still lives: no zombie, whatever happens.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "common/clock.h"
#include "common/unique_fd.h"
#include "master/spawn_method.h"

namespace procpool {

/// How a process ended.
struct ProcessExit {
  enum class Kind { kExited, kSignalled, kUnknown };
  Kind kind = Kind::kUnknown;
  int value = 0;  ///< exit code or signal number

  /// "exited with code 3", "killed by signal 11 (SIGSEGV)", "ended, its status is unknown"
  std::string Text() const;
};

class WorkerProcess {
 public:
  using Command = SpawnCommand;

  /// Throws Error (kUser if the program itself cannot be executed, kMachine if the system cannot
  /// spawn), with the program's path and the system's reason.
  static WorkerProcess Spawn(const Command& command,
                             const SpawnMethod& method = DefaultSpawnMethod());
  /// Takes over a child of this process that is not reaped, the leader of its process group. Opens
  /// its pidfd if there is none yet; where that fails the child is killed, and it is
  /// Error{kMachine}.
  static WorkerProcess Adopt(pid_t pid, UniqueFd pidfd = UniqueFd());

  WorkerProcess(WorkerProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  WorkerProcess& operator=(WorkerProcess&&) noexcept;
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  pid_t pid() const { return pid_; }
  /// Becomes readable when the process has ended.
  int pidfd() const { return pidfd_.get(); }
  /// To the worker's whole process group, so that what it started is reached too.
  void SignalGroup(int signal) const;
  /// Reaps the process if it has ended, after killing what is left of its group. Never blocks.
  std::optional<ProcessExit> TryReap();

 private:
  WorkerProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  void KillAndReap();

  pid_t pid_ = -1;  // -1: reaped
  UniqueFd pidfd_;
};

/// Signal's name, e.g. "SIGSEGV".
std::string SignalName(int signal);

}  // namespace procpool
