// The master's end of a fork server: a worker program, started once, that makes workers without
// exec.
//
// Promise: what Spawn() returns is a child of this process, in a group of its own; everything else
// is as the fork server says (worker/fork_server.h). The server ends with this object.
#pragma once

#include <string>

#include "common/clock.h"
#include "common/unique_fd.h"
#include "master/worker_process.h"

namespace procpool {

class Zygote {
 public:
  /// Starts it. Throws as WorkerProcess::Spawn does.
  explicit Zygote(const std::string& program);
  /// `command.program` and its descriptor limit are not looked at: the server is the program.
  /// Throws Error{kMachine} if the server is gone or the system refuses.
  WorkerProcess Spawn(const WorkerProcess::Command& command);

 private:
  UniqueFd socket_;
  WorkerProcess server_;
};

}  // namespace procpool
