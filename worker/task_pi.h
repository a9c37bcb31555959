// Task "pi" (pi_payload.h): points in a circle. It knows nothing of fractals, and the pool nothing
// of it.
#pragma once

#include <procpool/detail/byte_task.h>

namespace procpool {

std::unique_ptr<ByteTask> MakePiTask(std::span<const std::byte> context);

}  // namespace procpool
