// Which calls each item of a MapJob is. Items are numbered in the order in which they come to be:
// the batch's own chunks as it grows, and among them chunks that a failure has cut out anew.
//
// Pure bookkeeping. What it keeps is about as much as there are items without an end, however many
// there have been.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace procpool {

/// Calls that travel together.
struct CallChunk {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool again = false;  ///< one call that had no result in an earlier chunk
  bool operator==(const CallChunk&) const = default;
};

class ChunkTable {
 public:
  /// chunk_size: how many calls the batch's own chunks have.
  explicit ChunkTable(std::uint64_t chunk_size) : chunk_size_(chunk_size) {}

  /// So many chunks of its own the batch has by now; those that are new become items.
  void TakeIn(std::uint64_t chunks);
  /// One more item.
  void Append(const CallChunk& chunk);
  std::uint64_t items() const { return items_; }

  /// The calls of an item that has not ended. The last chunk of a batch has as many as `calls`, all
  /// there are, leave it.
  CallChunk Of(std::uint64_t item, std::uint64_t calls) const;
  /// Each item ends once.
  void Ended(std::uint64_t item);
  /// The item that became the last one of this call's. Nothing: that has ended.
  std::optional<std::uint64_t> ItemOf(std::uint64_t call) const;
  /// Stretches of items that are kept.
  std::size_t kept() const { return runs_.size(); }

 private:
  // Items that came one after the other: chunks of the batch, or a single one that was cut out.
  struct Run {
    std::uint64_t chunk = 0;  // the batch's, of the first item
    std::uint64_t items = 0;
    std::uint64_t open = 0;
    std::optional<CallChunk> own{};
  };
  void Begin(const Run& run);

  std::uint64_t chunk_size_;
  std::uint64_t items_ = 0;
  std::uint64_t chunks_ = 0;           // of the batch
  std::map<std::uint64_t, Run> runs_;  // by their first items
};

}  // namespace procpool
