// Many pieces, made by several threads and taken one after the other: what is written in order, but
// takes longer to make than to write.
//
// At most `slots` pieces are there at a time, finished or being made: piece i lies in slot
// i % slots, which the caller owns and which is reused once piece i was taken. All threads have
// ended when MakeInOrder() returns or throws.
#pragma once

#include <cstddef>
#include <functional>

namespace procpool {

struct OrderedPieces {
  std::size_t count = 0;
  unsigned threads = 1;   ///< that make; the calling one, which takes, is not among them
  std::size_t slots = 1;  ///< at least 1
  /// Called by several threads at a time, for each piece once.
  std::function<void(std::size_t piece, std::size_t slot)> make;
  /// Called by the calling thread, for each piece in order; false: no more are wanted.
  std::function<bool(std::size_t piece, std::size_t slot)> take;
};

/// What `make` or `take` throws ends it all and is thrown on. Where one thread or one piece is all
/// there is, or no thread can be started, the calling thread makes the pieces too.
void MakeInOrder(const OrderedPieces& pieces);

}  // namespace procpool
