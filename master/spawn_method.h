// How a worker process is made: the methods there are, by name, and the only list of them.
//
// Promise of every method (tests/spawn_method_test.cc runs over all): the process runs in a group
// of its own, with standard input from /dev/null and standard output sent to standard error (both
// to /dev/null where this process has none), default signal dispositions, an empty signal mask, and
// no descriptor but 0–2 and those given. A program that cannot be executed is an errno value, and
// leaves no zombie. No method searches PATH or hands a file without a known format to a shell.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/unique_fd.h"

namespace procpool {

struct SpawnCommand {
  std::string program;  ///< path
  std::string argument;
  std::vector<int> inherit;       ///< these become descriptors 3, 4, … of the child; at most 16
  bool restore_fd_limit = false;  ///< set the soft descriptor limit back to `fd_soft_limit`, at the
                                  ///< latest when the spawn returns
  unsigned long fd_soft_limit = 0;
};

struct Spawned {
  pid_t pid = -1;
  UniqueFd pidfd{};  ///< may be empty; then the caller opens it
  int error = 0;     ///< errno; not 0: there is no process
};

struct SpawnMethod {
  std::string_view name;
  std::string_view description;
  /// To be called with all signals blocked in this thread: for a while a child may run on this
  /// process' memory, where no handler of this process may run in it. Throws Error{kMachine} if
  /// there are no descriptors to prepare the child with.
  Spawned (*spawn)(const SpawnCommand& command);
};

std::span<const SpawnMethod> SpawnMethods();
/// nullptr if there is none of that name.
const SpawnMethod* FindSpawnMethod(std::string_view name);
/// The fastest of those that are safe: docs/decisions/0012-spawn-method.md.
const SpawnMethod& DefaultSpawnMethod();

// One file each: spawn_NAME.cc.
Spawned SpawnByVfork(const SpawnCommand& command);
Spawned SpawnByPosixSpawn(const SpawnCommand& command);
Spawned SpawnByBoost(const SpawnCommand& command);
Spawned SpawnByFork(const SpawnCommand& command);

}  // namespace procpool
