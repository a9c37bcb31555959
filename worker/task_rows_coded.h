// Task "rows" under a codec other than raw: decode the whole item, compute, encode the whole
// result. Its memory grows with the chunk, not with the grid; decoding and encoding are reported
// apart from computing (TaskOutput::Spent).
#pragma once

#include <memory>

#include <procpool/detail/byte_task.h>
#include "common/rows_payload.h"

namespace procpool {

std::unique_ptr<ByteTask> MakeCodedRowsTask(const RowsContext& context);

}  // namespace procpool
