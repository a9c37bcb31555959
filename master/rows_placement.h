// Which worker computed which rows, and when: for the picture `workers` and the JSON object.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/clock.h"

namespace procpool {

/// One chunk, or a part of one that was halved. If it was computed more than once, this is about
/// the time whose result is in the grid.
struct RowsPlacement {
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;
  std::size_t slot = 0;      ///< of the worker: its place in the pool, or its thread
  std::uint64_t order = 0;   ///< grows with the time at which the result was there
  Nanoseconds begun = 0;     ///< computing, since the beginning of the run …
  Nanoseconds finished = 0;  ///< … both 0 with --times off
  bool operator==(const RowsPlacement&) const = default;
};

}  // namespace procpool
