// Transport "queue": a Boost.Interprocess message_queue each way and an eventfd doorbell each way.
//
// The frames' bytes travel in messages of up to 64 KiB; what is longer than one goes straight from
// and to its place, copied twice (into the queue, out of it). One pair of queues per worker, so
// that a worker that dies inside one poisons only its own pair. Only the try-calls are used: the
// blocking ones hang for good once a waiter was killed. Even they lock, for at most 50 ms
// (cmake/Flags.cmake); after one such timeout the pair is left alone for a while (Stalled()).
//
// The names exist only until both sides have the queues open: call QueuePair::unlink then.
// queue_names.h reclaims the names of a master that was killed before.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/channel.h"
#include "common/control_socket.h"
#include "common/unique_fd.h"

namespace procpool {

struct QueuePair {
  std::unique_ptr<Channel> near;
  UniqueFd far_doorbell_in, far_doorbell_out;  ///< what the far end waits on, what it rings
  std::string name;              ///< the stem under which the far end finds both queues
  std::function<void()> unlink;  ///< removes the names; harmless when called twice
};

/// `control` must outlive the channel. Throws Error{kMachine}, e.g. when /dev/shm is full.
QueuePair MakeQueueChannel(const ControlSocket& control);
std::unique_ptr<Channel> OpenQueueChannel(const std::string& name, UniqueFd doorbell_in,
                                          UniqueFd doorbell_out, const ControlSocket& control);

}  // namespace procpool
