// The codec's part of a job of rows on the master's side: items are encoded, results wait in
// staging memory until they are whole and are then decoded into the grid.
//
// Promise: staging memory is as much as the longest result of a chunk needs, however much a worker
// claims; there is as much of it as results are partly in at once, and it is reused. All of it is
// used by one thread, the pool's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/clock.h"
#include "common/codec.h"
#include "common/rows_payload.h"

namespace procpool {

struct CodecTimes {
  Nanoseconds encoding = 0;
  Nanoseconds decoding = 0;
};

class CodedRows {
 public:
  CodedRows(std::unique_ptr<Codec> codec, std::uint64_t most_points, std::size_t items);

  const Codec& codec() const { return *codec_; }

  /// There are so many items now.
  void GrowTo(std::size_t items) { times_.resize(items); }
  /// The bytes stay valid until Release().
  std::span<const std::byte> EncodeRows(std::uint64_t item, const RowsItem& rows);
  /// Returns how many bytes of `out` it took.
  std::size_t EncodeCoords(std::uint64_t item, std::span<const double> z, std::span<const double> c,
                           std::span<std::byte> out);
  /// Where the next bytes of a result of `points` counts go. Nothing: not the next ones, or more
  /// than such a result can have.
  std::optional<std::span<std::byte>> PlaceFor(std::uint64_t item, std::uint64_t points,
                                               std::uint64_t offset, std::uint64_t bytes);
  /// False unless `bytes` bytes arrived and are exactly these counts.
  bool Decode(std::uint64_t item, std::uint64_t bytes, std::span<std::int32_t> counts);
  /// The item is answered, taken back or given up.
  void Release(std::uint64_t item);

  CodecTimes total() const { return total_; }
  CodecTimes times(std::uint64_t item) const { return times_[item]; }

 private:
  using Memory = std::unique_ptr<std::byte[]>;
  struct Staged {
    Memory memory;
    std::uint64_t arrived = 0;
  };
  Staged& StagedFor(std::uint64_t item);

  std::unique_ptr<Codec> codec_;
  std::uint64_t most_points_;
  std::map<std::uint64_t, Memory> rows_;  // what travels under payload `rows`, by open item
  std::map<std::uint64_t, Staged> staged_;
  std::vector<Memory> free_;
  std::vector<CodecTimes> times_;
  CodecTimes total_;
};

}  // namespace procpool
