// Task "rows": the counts of a chunk of rows (payload `rows`), or of the points that come along
// (payload `coords`). common/rows_payload.h says what travels. Its own memory is small whatever the
// grid: results leave piece by piece.
#pragma once

#include <string_view>

#include <procpool/detail/byte_task.h>
#include "common/kernel.h"

namespace procpool {

std::unique_ptr<ByteTask> MakeRowsTask(std::span<const std::byte> context);

/// Throws std::invalid_argument if there is none of this name.
const Kernel& KernelOrThrow(std::string_view name);

}  // namespace procpool
