#include "master/chunk_table.h"

#include <algorithm>
#include <iterator>

namespace procpool {

void ChunkTable::TakeIn(std::uint64_t chunks) {
  if (chunks <= chunks_) return;
  const std::uint64_t more = chunks - chunks_;
  if (!runs_.empty() && !std::prev(runs_.end())->second.own) {
    Run& last = std::prev(runs_.end())->second;
    last.items += more;
    last.open += more;
  } else {
    Begin({.chunk = chunks_, .items = more, .open = more});
  }
  chunks_ = chunks;
  items_ += more;
}

void ChunkTable::Append(const CallChunk& chunk) {
  Begin({.items = 1, .open = 1, .own = chunk});
  ++items_;
}

// The last run stays while it is the last, for it may go on.
void ChunkTable::Begin(const Run& run) {
  if (!runs_.empty() && std::prev(runs_.end())->second.open == 0)
    runs_.erase(std::prev(runs_.end()));
  runs_.emplace_hint(runs_.end(), items_, run);
}

CallChunk ChunkTable::Of(std::uint64_t item, std::uint64_t calls) const {
  const auto& [first_item, run] = *std::prev(runs_.upper_bound(item));
  if (run.own) return *run.own;
  const std::uint64_t first = (run.chunk + (item - first_item)) * chunk_size_;
  return {.first = first, .count = std::min(chunk_size_, calls - first)};
}

void ChunkTable::Ended(std::uint64_t item) {
  const auto run = std::prev(runs_.upper_bound(item));
  if (--run->second.open == 0 && std::next(run) != runs_.end()) runs_.erase(run);
}

std::optional<std::uint64_t> ChunkTable::ItemOf(std::uint64_t call) const {
  for (auto place = runs_.rbegin(); place != runs_.rend(); ++place) {
    const auto& [first_item, run] = *place;
    if (run.open == 0) continue;
    if (run.own) {
      if (call >= run.own->first && call - run.own->first < run.own->count) return first_item;
      continue;
    }
    const std::uint64_t chunk = call / chunk_size_;
    if (chunk >= run.chunk && chunk - run.chunk < run.items)
      return first_item + (chunk - run.chunk);
  }
  return std::nullopt;
}

}  // namespace procpool
