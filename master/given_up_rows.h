// Rows that were given up, as people read them: in order, and as few lines as there are causes.
#pragma once

#include <span>
#include <vector>

#include "common/chunk.h"
#include "master/job.h"
#include "master/run.h"

namespace procpool {

/// chunks: by item. Neighbours that were given up for the same cause are one.
std::vector<GivenUpRows> GivenUpRowsOf(std::span<const GivenUpItem> given_up,
                                       std::span<const Chunk> chunks);

}  // namespace procpool
