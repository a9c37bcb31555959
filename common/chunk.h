// A chunk: a run of consecutive rows. The chunks of one plan cover every row exactly once, in order
// of their ids.
#pragma once

#include <cstdint>

namespace procpool {

struct Chunk {
  std::uint64_t id = 0;
  std::uint64_t first_row = 0;
  std::uint64_t rows = 0;

  bool operator==(const Chunk&) const = default;
};

}  // namespace procpool
