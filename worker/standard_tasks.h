// What the `worker` program offers.
#pragma once

#include <procpool/detail/task_registry.h>

namespace procpool {

/// "echo" and "produce" (tests and measurements), and "rows".
void AddStandardTasks(TaskRegistry& registry);

}  // namespace procpool
