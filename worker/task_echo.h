// Task "echo": its result is its input.
#pragma once

#include <procpool/detail/byte_task.h>

namespace procpool {

std::unique_ptr<ByteTask> MakeEchoTask(std::span<const std::byte> context);

}  // namespace procpool
