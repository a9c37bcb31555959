// Transport "shm": per worker a sealed memfd with two byte rings (ring.h), and regions shared with
// it for payloads that shall not be copied. No name anywhere, no mutex: nothing to leak, nothing to
// recover.
//
// Parking: the worker sleeps on a futex in the memfd, the master on an eventfd (so that its event
// loop can watch it), each behind a "sleeping" flag that says what it waits for. Every wait is
// bounded; after 50 ms without a wake-up a sleeper looks whether its peer still lives.
#pragma once

#include <memory>

#include "common/channel.h"
#include "common/control_socket.h"
#include "common/unique_fd.h"

namespace procpool {

struct ShmPair {
  std::unique_ptr<Channel> near;      ///< the master's end
  UniqueFd far_region, far_doorbell;  ///< to be inherited by the worker
};

/// `control` and `table` must outlive the channel. The master's table holds what it shared with
/// this worker.
ShmPair MakeShmChannel(const ControlSocket& control, RegionTable& table);
/// The worker's end. Regions it does not know yet are fetched from `control` into `table`.
std::unique_ptr<Channel> OpenShmChannel(UniqueFd region, UniqueFd doorbell,
                                        const ControlSocket& control, RegionTable& table);

}  // namespace procpool
