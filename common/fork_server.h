// The messages between the master and a fork server (a zygote): a worker program that was started
// once and then makes workers by clone(), without exec. The children are the master's own
// (CLONE_PARENT), so the master waits for them like for any other.
//
//   master ─▶ server   the launch argument, with the worker's descriptors attached (SCM_RIGHTS)
//   server ─▶ master   ForkReply's numbers, with the child's pidfd attached
//
// over an AF_UNIX SEQPACKET socket: a message arrives whole or not at all. Descriptors arrive
// close-on-exec.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/unique_fd.h"

namespace procpool {

/// The whole argument of a fork server is this and the master's pid.
inline constexpr std::string_view kForkServerOption = "--fork-server=";

struct ForkRequest {
  std::string argument;
  std::vector<UniqueFd> fds;
};

struct ForkReply {
  pid_t pid = -1;
  int error = 0;  ///< errno; not 0: there is no child
  UniqueFd pidfd{};
};

/// These return false or nothing when the peer is gone or the deadline has passed.
bool SendForkRequest(int socket, const std::string& argument, std::span<const int> fds,
                     Deadline deadline);
std::optional<ForkRequest> ReceiveForkRequest(int socket, Deadline deadline);
bool SendForkReply(int socket, const ForkReply& reply, Deadline deadline);
std::optional<ForkReply> ReceiveForkReply(int socket, Deadline deadline);

}  // namespace procpool
