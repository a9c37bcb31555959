#include "master/worker_setup.h"

#include <unistd.h>

#include <utility>

#include "common/launch.h"

namespace procpool {

WorkerProcess SetUpWorker(const WorkerPlan& plan, WorkerEnds& ends, const MakeProcess& make) {
  auto [control, far_control] = ControlSocket::MakePair();
  ends.control.emplace(std::move(control));
  ends.mark.emplace(WorkMark::Create());
  ends.regions = RegionTable();
  MadeChannel made = plan.transport->make({*ends.control, ends.regions, plan.workers});

  const Launch launch{.transport = std::string(plan.transport->name),
                      .channel_name = made.far_name,
                      .slot = static_cast<unsigned>(plan.slot),
                      .parent = ::getpid(),
                      .spin = plan.spin,
                      .log_level = plan.log_level,
                      .life = plan.life,
                      .faults = plan.faults};
  WorkerProcess::Command command{.program = plan.program,
                                 .argument = EncodeLaunch(launch),
                                 .inherit = {far_control.fd(), ends.mark->fd()},
                                 .restore_fd_limit = plan.fd_soft_limit != 0,
                                 .fd_soft_limit = plan.fd_soft_limit};
  for (const UniqueFd& fd : made.far_fds) command.inherit.push_back(fd.get());
  WorkerProcess process = make(command);
  // The far ends close here, with `made` and `far_control`.

  ends.mark->CloseDescriptor();
  ends.channel = std::move(made.near);
  ends.far_opened = std::move(made.far_opened);
  return process;
}

}  // namespace procpool
