// Task "produce": answers with as many bytes as the item asks for, each of them written
// (common/produce_payload.h). What a result costs to move, without an input that costs anything.
#pragma once

#include <procpool/detail/byte_task.h>

namespace procpool {

std::unique_ptr<ByteTask> MakeProduceTask(std::span<const std::byte> context);

}  // namespace procpool
