#include "master/lab/zygote.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include <procpool/error.h>
#include "common/fork_server.h"
#include "common/os_error.h"

namespace procpool {
namespace {

constexpr Nanoseconds kDeadline = 5 * kSecond;

WorkerProcess StartServer(const std::string& program, UniqueFd& near) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ThrowErrno("create", "socket to a fork server", "raise the descriptor limit (ulimit -n)");
  }
  near.Reset(ends[0]);
  const UniqueFd far(ends[1]);
  return WorkerProcess::Spawn(
      {.program = program,
       .argument = std::string(kForkServerOption) + std::to_string(::getpid()),
       .inherit = {far.get()}});
}

}  // namespace

Zygote::Zygote(const std::string& program) : server_(StartServer(program, socket_)) {}

WorkerProcess Zygote::Spawn(const WorkerProcess::Command& command) {
  const Deadline deadline = Deadline::After(kDeadline);
  std::optional<ForkReply> reply;
  if (SendForkRequest(socket_.get(), command.argument, command.inherit, deadline)) {
    reply = ReceiveForkReply(socket_.get(), deadline);
  }
  if (!reply || reply->error != 0) {
    const std::string cause = reply ? ErrnoText(reply->error) : "the fork server does not answer";
    throw Error(Blame::kMachine, {"spawn", "worker by fork server", cause,
                                  "use another method; this one needs Linux 5.3 or later"});
  }
  // The child does the same; whoever comes first makes sure that the group exists from here on.
  ::setpgid(reply->pid, reply->pid);
  return WorkerProcess::Adopt(reply->pid, std::move(reply->pidfd));
}

}  // namespace procpool
