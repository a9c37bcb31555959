// The grid being put together: each row once, in its place.
//
// Promise: a piece is accepted only for a chunk that was begun and is not complete, in order,
// inside the chunk. A complete chunk is never written again, unless it was found spoilt. Over
// shared memory the workers write the rows themselves; then each chunk's hash is kept and checked
// again in the final pass, so that a task that ran wild over its neighbours' rows is found.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/checksum.h"
#include "common/chunk.h"

namespace procpool {

/// What stands in rows that were given up.
inline constexpr std::int32_t kGivenUpCount = -1;

class Assembly {
 public:
  /// grid: width * rows counts, row-major. chunks: every row once, in order. Both must outlive this
  /// object; chunks may grow, see Split().
  Assembly(const Buffer& grid, std::uint64_t width, const std::vector<Chunk>& chunks);

  /// The bytes of a chunk in the grid.
  std::span<std::byte> BytesOf(std::uint64_t chunk) const;
  void Begin(std::uint64_t chunk);
  std::optional<std::span<std::byte>> PlaceFor(std::uint64_t chunk, std::uint64_t offset,
                                               std::uint64_t bytes);
  /// False unless exactly the chunk's bytes have arrived. `hash` is kept if the worker wrote into
  /// the grid itself.
  bool Complete(std::uint64_t chunk, std::uint64_t bytes, std::optional<std::uint64_t> hash);
  /// Fills the chunk's rows with kGivenUpCount.
  void GiveUp(std::uint64_t chunk);
  /// Of the chunk nothing more comes: others, at the end of the list now, have its rows.
  void Split(std::uint64_t chunk);

  /// One pass over the grid: the checksum, and the chunks whose hash is not what it was.
  std::vector<std::uint64_t> Finish();
  /// After Finish() found nothing spoilt.
  const Checksum& checksum() const { return checksum_; }
  bool AllRowsIn() const { return complete_ + split_ == chunks_.size(); }
  bool IsComplete(std::uint64_t chunk) const { return entries_[chunk].state == State::kComplete; }

 private:
  enum class State : std::uint8_t { kIdle, kOpen, kComplete, kGivenUp, kSplit };
  struct Entry {
    State state = State::kIdle;
    bool has_hash = false;
    std::uint64_t arrived = 0;  // bytes
    std::uint64_t hash = 0;
  };

  std::span<std::byte> grid_;
  std::uint64_t row_bytes_;
  const std::vector<Chunk>& chunks_;
  std::size_t planned_;  // so many of them are the grid; those that follow are parts of them
  std::vector<Entry> entries_;
  std::size_t complete_ = 0;
  std::size_t split_ = 0;
  Checksum checksum_;
};

}  // namespace procpool
