// Raw pipes and a raw socket pair: write and read of the bytes, nothing around them. `park` blocks
// in read(), `spin` reads until something is there, `hybrid` does so for a while and then polls.
#pragma once

#include "master/lab/raw_end.h"

namespace procpool {

/// Two pipes with the buffers that the transport `pipe` has. Throws Error{kMachine}.
RawPair MakeRawPipe(WaitMode mode);
/// AF_UNIX, SOCK_STREAM.
RawPair MakeRawSocketPair(WaitMode mode);

}  // namespace procpool
