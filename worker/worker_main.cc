#include "worker/worker_main.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <procpool/error.h>
#include "common/channel_factory.h"
#include "common/clock.h"
#include "common/fork_server.h"
#include "common/launch.h"
#include "common/log.h"
#include "common/os_error.h"
#include "common/serving.h"
#include "worker/chaos.h"
#include "worker/fork_server.h"
#include "worker/loop.h"
#include "worker/worker_regions.h"

namespace procpool {
namespace {

// From now on the kernel kills this process when the master's spawning thread ends. The master may
// have gone before that was said: then this process has another parent already. False: leave.
bool TieLifeToMaster(pid_t master) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == master;
}

UniqueFd Inherited(int fd) {
  // Inherited without close-on-exec; what a task starts shall not inherit it again.
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    ThrowErrno("take over", "inherited descriptor " + std::to_string(fd),
               "a worker is started by master");
  }
  return UniqueFd(fd);
}

int Serve(const Launch& launch, const TaskRegistry& registry, Nanoseconds main_reached) {
  const Transport* transport = FindTransport(launch.transport);
  if (transport == nullptr) {
    throw Error(Blame::kUser, {"start", "worker", "transport '" + launch.transport + "' is unknown",
                               "master and worker must be of the same build"});
  }
  const ControlSocket control(Inherited(kControlFd));
  WorkMark mark = WorkMark::Open(Inherited(kWorkMarkFd));
  RegionTable regions;
  WorkerRegions worker_regions(control, regions);
  std::vector<UniqueFd> fds;
  for (std::size_t i = 0; i < transport->far_fd_count; ++i) {
    fds.push_back(Inherited(kFirstChannelFd + static_cast<int>(i)));
  }
  std::optional<FaultInjector> faults;
  if (!launch.faults.empty()) {
    std::vector<int> shared{mark.fd()};
    for (const UniqueFd& fd : fds) shared.push_back(fd.get());
    faults.emplace(launch.faults, launch.slot, launch.life, mark, shared);
    faults->At(FaultStep::kStart);
  }
  mark.CloseDescriptor();
  const auto channel = transport->open(std::move(fds), launch.channel_name, {control, regions});
  std::optional<Chaos> chaos;
  if (faults) chaos.emplace(*faults, *channel, regions, registry);
  Channel& used = chaos ? chaos->channel() : *channel;
  used.SpinBeforeParking(launch.spin);
  WorkerLoop loop(used, mark, worker_regions, chaos ? chaos->tasks() : registry);
  switch (loop.Run(main_reached)) {
    case LoopEnd::kStopped:
      if (faults) faults->At(FaultStep::kStopping);
      return 0;
    case LoopEnd::kMasterGone:
      return 0;
    case LoopEnd::kBroken:
      Log(LogLevel::kError, "cannot read from the master: " + std::string(used.fault()));
      return 1;
  }
  return 1;
}

int ServeLaunch(std::string_view argument, const TaskRegistry& registry, Nanoseconds main_reached) {
  const Launch launch = DecodeLaunch(argument);
  if (!TieLifeToMaster(launch.parent)) return 0;
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTTOU, SIG_IGN);  // logging from a background group must not stop the worker
  StartLog("worker " + std::to_string(launch.slot), launch.log_level);
  return Serve(launch, registry, main_reached);
}

// The argument is kForkServerOption and the master's pid.
int ServeAsForkServer(std::string_view argument, const TaskRegistry& registry) {
  pid_t master = 0;
  const std::string_view number = argument.substr(kForkServerOption.size());
  std::from_chars(number.data(), number.data() + number.size(), master);
  if (!TieLifeToMaster(master)) return 0;
  const auto launch = ServeForks(kControlFd);
  return launch ? ServeLaunch(*launch, registry, Now()) : 0;
}

}  // namespace

int WorkerMain(int argc, char** argv, const TaskRegistry& registry) {
  const Nanoseconds main_reached = Now();
  BeginServing();
  try {
    const std::string_view argument = argc == 2 ? argv[1] : "";
    if (argument.starts_with(kForkServerOption)) return ServeAsForkServer(argument, registry);
    return ServeLaunch(argument, registry, main_reached);
  } catch (const Error& error) {
    std::fprintf(stderr, "worker: %s\n", error.what());
    return error.blame() == Blame::kUser ? 2 : 1;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "worker: cannot go on: %s\n", exception.what());
    return 1;
  }
}

}  // namespace procpool
