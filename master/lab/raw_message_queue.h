// A raw Boost.Interprocess message_queue each way, as the transport `queue` uses one: four messages
// of 64 KiB, try-calls only, and an eventfd as a bell unless both sides spin. No name is left: both
// sides have the queues before the names are removed, for the peer is made by fork.
#pragma once

#include "master/lab/raw_end.h"

namespace procpool {

/// Throws Error{kMachine}, e.g. when /dev/shm is full.
RawPair MakeRawMessageQueue(WaitMode mode);

}  // namespace procpool
