// posix_spawn: the C library's own vfork + exec. What it cannot say is the descriptor limit, which
// is set from here when the process is there; it is the worker's before it is given any work.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "common/standard_streams.h"
#include "master/spawn_child.h"

namespace procpool {
namespace {

class Actions {
 public:
  Actions() { ::posix_spawn_file_actions_init(&actions_); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes() { ::posix_spawnattr_init(&attributes_); }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

int Describe(Actions& actions, Attributes& attributes, const SpawnChild& child) {
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setflags(
      attributes.get(), POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setpgroup(attributes.get(), 0);
  ::posix_spawnattr_setsigdefault(attributes.get(), &all);
  ::posix_spawnattr_setsigmask(attributes.get(), &none);
  int error =
      ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDWR, 0);
  // A parent without standard error has none to give.
  if (error == 0 && !HasStandardError()) {
    error = ::posix_spawn_file_actions_adddup2(actions.get(), STDIN_FILENO, STDERR_FILENO);
  }
  if (error == 0) {
    error = ::posix_spawn_file_actions_adddup2(actions.get(), STDERR_FILENO, STDOUT_FILENO);
  }
  for (std::size_t i = 0; error == 0 && i < child.sources().size(); ++i) {
    error = ::posix_spawn_file_actions_adddup2(actions.get(), child.sources()[i],
                                               kFirstInherited + static_cast<int>(i));
  }
  if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(actions.get(), child.end());
  return error;
}

}  // namespace

Spawned SpawnByPosixSpawn(const SpawnCommand& command) {
  const SpawnChild child(command);
  Actions actions;
  Attributes attributes;
  Spawned spawned;
  spawned.error = Describe(actions, attributes, child);
  if (spawned.error != 0) return spawned;
  spawned.error = ::posix_spawn(&spawned.pid, command.program.c_str(), actions.get(),
                                attributes.get(), child.argv(), environ);
  if (spawned.error == 0 && command.restore_fd_limit) {
    rlimit limit{};
    ::prlimit(spawned.pid, RLIMIT_NOFILE, nullptr, &limit);
    limit.rlim_cur = command.fd_soft_limit;
    ::prlimit(spawned.pid, RLIMIT_NOFILE, &limit, nullptr);
  }
  return spawned;
}

}  // namespace procpool
