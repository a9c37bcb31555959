// Boost.Process v1 in its vfork mode. The only user of Boost.Process; what there is to beware of is
// in docs/decisions/0008-spawning.md.

// Process v1 switches its vfork mode off with glibc by mistake (it tests a feature macro that
// _GNU_SOURCE hides). Without it a spawn forks, which costs a large parent tens of milliseconds.
#define BOOST_POSIX_HAS_VFORK 1
#define BOOST_PROCESS_USE_STD_FS 1
#include <unistd.h>

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <system_error>

#include "master/spawn_child.h"

namespace procpool {
namespace {

namespace bp = boost::process;

// Runs in the child between vfork and exec, on the parent's memory.
struct PrepareChild : bp::extend::handler {
  explicit PrepareChild(const SpawnChild& prepared) : child(prepared) {}

  template <typename Executor>
  void on_exec_setup(Executor& /*executor*/) const {
    // The library has no way to hand this error to the parent: the worker then ends before READY.
    if (child.SetUp() != 0) ::_exit(kNoProgram);
  }

  const SpawnChild& child;
};

}  // namespace

Spawned SpawnByBoost(const SpawnCommand& command) {
  const SpawnChild prepared(command);
  std::error_code error;
  bp::child child(bp::exe = command.program, bp::args += command.argument, PrepareChild(prepared),
                  bp::posix::use_vfork, error);
  const pid_t pid = child.id();
  // From here on the process is ours; ~child would kill it, its wait functions would take over
  // SIGCHLD.
  child.detach();
  return {.pid = pid, .error = error.value()};
}

}  // namespace procpool
