// Raw shared memory: a ring of four 64 KiB slots each way, and one way to wait for the other side.
//
//   spin      counters are looked at, nothing else
//   futex     the same, and a sleeper is woken by FUTEX_WAKE (only if there is one)
//   eventfd   every slot is announced by a write to an eventfd; the receiver reads that
//
// Counters are published with seq_cst stores and "sleeps" flags read with seq_cst loads, as
// common/ring.h explains.
#pragma once

#include "master/lab/raw_end.h"

namespace procpool {

/// For `spin` the mode kSpin, for a futex kHybrid or kPark. Throws Error{kMachine}.
RawPair MakeRawSharedMemory(WaitMode mode);
RawPair MakeRawEventFd(WaitMode mode);

}  // namespace procpool
