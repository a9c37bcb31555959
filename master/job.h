// A job, as the pool sees it: items for one named task, bytes in and bytes out. The pool knows
// nothing of what they mean.
//
// All functions are called on the pool's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/wire.h"
#include "master/ledger.h"

namespace procpool {

/// An item's bytes. A buffer is named where the span lies in one: over a transport that shares
/// memory nothing is copied then.
struct ItemInput {
  std::span<const std::byte> input{};
  const Buffer* input_buffer = nullptr;
  std::span<std::byte>
      place{};  ///< where the result may be written by the worker itself; may be empty
  const Buffer* place_buffer = nullptr;
};

/// A completed result.
struct ItemResult {
  std::uint64_t bytes = 0;
  bool in_place = false;   ///< the worker wrote it into `place`
  std::uint64_t hash = 0;  ///< XXH3-64 of it, if it came in one piece
  std::optional<ResultAnnex> times{};
};

class Job {
 public:
  virtual ~Job() = default;
  virtual std::string_view task() const = 0;
  /// Given to every worker once; unchanged while the job runs.
  virtual std::span<const std::byte> context() const = 0;
  virtual std::size_t items() const = 0;
  /// Empty, or for each item the worker it belongs to.
  virtual std::span<const unsigned> owners() const { return {}; }
  /// Whether results shall carry their times, for the budget.
  virtual bool timed() const { return false; }
  /// Time spent so far in Complete() on decoding results; part of the budget.
  virtual Nanoseconds decoding() const { return 0; }

  /// The item is about to be given out. The spans stay valid and unchanged until Complete(),
  /// Return() or GiveUp().
  virtual ItemInput Begin(const GivenItem& given) = 0;
  /// Where `bytes` bytes of the item's result, from `offset` on, belong. Nothing: impossible, the
  /// sender is at fault.
  virtual std::optional<std::span<std::byte>> PlaceFor(const GivenItem& given, std::uint64_t offset,
                                                       std::uint64_t bytes) = 0;
  /// All of the result is in. False: it cannot be right (wrong length), the sender is at fault.
  virtual bool Complete(const GivenItem& given, const ItemResult& result) = 0;
  /// The item was taken back from a worker that is gone; it will begin again.
  virtual void Return(const GivenItem& given) = 0;
  /// The item will have no result.
  virtual void GiveUp(std::uint64_t item, const std::string& reason) = 0;
  /// Every item is done or given up. Items whose result turns out to be spoilt are computed anew.
  virtual std::vector<std::uint64_t> Recheck() { return {}; }
};

}  // namespace procpool
