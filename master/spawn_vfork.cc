// vfork + exec, by clone(): the child runs on the parent's memory, on a stack of its own, and the
// calling thread waits until exec. No page table is copied, so the size of the parent does not
// matter, and the pidfd comes with the process: nobody can reap it in between.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>

#include "master/spawn_child.h"

namespace procpool {
namespace {

constexpr std::size_t kStackBytes = std::size_t{64} * 1024;

struct Birth {
  const SpawnChild& child;
  int error = 0;
};

int RunChild(void* argument) {
  auto* birth = static_cast<Birth*>(argument);
  birth->error = birth->child.Exec();
  return kNoProgram;  // clone() ends the process with it
}

}  // namespace

Spawned SpawnByVfork(const SpawnCommand& command) {
  const SpawnChild child(command);
  Birth birth{child};
  // It grows downwards from its end, which is aligned as new aligns.
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(kStackBytes);
  int pidfd = -1;
  const pid_t pid = ::clone(RunChild, stack.get() + kStackBytes,
                            CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &birth, &pidfd);
  if (pid < 0) return {.error = errno};
  Spawned spawned{.pid = pid, .pidfd = UniqueFd(pidfd), .error = birth.error};
  if (birth.error != 0) ::waitpid(pid, nullptr, 0);  // it has ended, or is about to
  return spawned;
}

}  // namespace procpool
