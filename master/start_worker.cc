#include "master/start_worker.h"

#include <unistd.h>

#include <utility>

#include "common/launch.h"

namespace procpool {

StartedWorker StartWorker(const WorkerStart& start, std::optional<ControlSocket>& control,
                          std::optional<WorkMark>& mark, RegionTable& regions) {
  auto [near_control, far_control] = ControlSocket::MakePair();
  control.emplace(std::move(near_control));
  mark.emplace(WorkMark::Create());
  MadeChannel made = start.transport.make({*control, regions, start.workers});

  const Launch launch{.transport = std::string(start.transport.name),
                      .channel_name = made.far_name,
                      .slot = static_cast<unsigned>(start.slot),
                      .parent = ::getpid(),
                      .spin = start.spin,
                      .log_level = start.log_level};
  WorkerProcess::Command command{.program = start.program,
                                 .argument = EncodeLaunch(launch),
                                 .inherit = {far_control.fd(), mark->fd()},
                                 .restore_fd_limit = start.fd_soft_limit != 0,
                                 .fd_soft_limit = start.fd_soft_limit};
  for (const UniqueFd& fd : made.far_fds) command.inherit.push_back(fd.get());
  WorkerProcess process = WorkerProcess::Spawn(command);
  mark->CloseDescriptor();
  // The far ends close here, with `made` and `far_control`: only the worker holds them now.
  return {std::move(process), std::move(made.near), std::move(made.far_opened)};
}

}  // namespace procpool
