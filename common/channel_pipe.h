// Transport "pipe": two pipes, one each way. One writev sends many frames; a read puts rows
// straight where they belong.
//
// Both ends are non-blocking; blocking forms poll. The peer's death is EOF or EPIPE, which is why
// no process may hold an end that is not its own (close-on-exec everywhere). SIGPIPE must be
// ignored or blocked in the calling thread.
#pragma once

#include <memory>

#include "common/channel.h"
#include "common/unique_fd.h"

namespace procpool {

struct PipePair {
  std::unique_ptr<Channel> near;  ///< for this process
  UniqueFd far_in, far_out;       ///< to be inherited by the other one
};

/// Asks for buffers of `buffer_bytes`; where the system refuses they stay as they come.
PipePair MakePipeChannel(int buffer_bytes);
/// 1 MiB, but all pipes of `workers` together stay under a quarter of what a user's pipes may hold:
/// beyond that limit the kernel gives new pipes of all the user's programs 8 KiB. At least 64 KiB,
/// the default.
int PipeBufferBytes(std::size_t workers);
std::unique_ptr<Channel> OpenPipeChannel(UniqueFd in, UniqueFd out);

}  // namespace procpool
