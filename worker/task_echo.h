// Task "echo": its result is its input.
#pragma once

#include "worker/task.h"

namespace procpool {

std::unique_ptr<Task> MakeEchoTask(std::span<const std::byte> context);

}  // namespace procpool
