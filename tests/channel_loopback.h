// A channel without a transport: both ends in this process, bytes in a queue behind a mutex. It
// shows what the framing of Channel does by itself, and can be throttled to move few bytes a call.
//
// Promise: keeps the contract of channel.h; the two ends may be used by two threads. Destroying one
// end is its death.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

#include "common/channel.h"

namespace procpool {

struct LoopbackOptions {
  std::size_t capacity = std::size_t{64} * 1024;  ///< bytes that fit into one direction
  std::size_t most_per_call =
      std::numeric_limits<std::size_t>::max();  ///< moved by one read or write
};

std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> MakeLoopback(
    const LoopbackOptions& options);

}  // namespace procpool
