// Memory that is shared with the workers, for long inputs: each lies there once, and no side copies
// it again. Blocks are used again and again, so that no worker has to map a new one for each input.
//
// For one thread, the pool's.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "common/buffer.h"

namespace procpool {

class InputArena {
 public:
  /// A block of at least so many bytes, whatever is in it. Throws Error{kMachine} if there is not
  /// enough memory.
  Buffer Take(std::size_t bytes);
  /// No worker looks at it any more.
  void GiveBack(Buffer block);
  /// Bytes of the blocks that nobody has.
  std::size_t idle() const { return idle_; }

 private:
  std::map<std::size_t, std::vector<Buffer>> blocks_;  // idle ones, by their size
  std::size_t idle_ = 0;
};

}  // namespace procpool
