// A number that is the same in two programs exactly if they were built from the same sources of
// common/ and the same public headers: then frames, arguments, fractals and shared memory mean the
// same to both. Master and worker compare it at the handshake.
#pragma once

#include <cstdint>
#include <string_view>

namespace procpool {

std::uint64_t BuildId();
/// "0.2.0"
std::string_view Version();

}  // namespace procpool
