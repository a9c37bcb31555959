// A job, as the pool sees it: items for one named task, bytes in and bytes out. The pool knows
// nothing of what they mean.
//
// All functions are called on the pool's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/wire.h"
#include "master/ledger.h"
#include "master/worker_process.h"

namespace procpool {

/// An item's bytes. A buffer is named where the span lies in one: over a transport that shares
/// memory nothing is copied then.
struct ItemInput {
  std::span<const std::byte> input{};
  const Buffer* input_buffer = nullptr;
  std::span<std::byte>
      place{};  ///< where the result may be written by the worker itself; may be empty
  const Buffer* place_buffer = nullptr;
  std::span<const Buffer> shared{};  ///< other memory that the task will look at
  std::uint64_t tasks = 1;           ///< how many calls the item is, for who counts them
};

/// An item that will have no result, and why.
struct GivenUpItem {
  enum class Cause { kThrew, kDied, kTimedOut, kCancelled };
  std::uint64_t item = 0;
  Cause cause = Cause::kDied;
  std::string reason;                   ///< in words, for people
  std::string type;                     ///< kThrew: of the exception
  std::string text;                     ///< kThrew: its text
  std::string how;                      ///< else how its worker ended, and why
  ProcessExit exit;                     ///< of the worker that had it last, if that is gone
  pid_t pid = -1;                       ///< of that worker
  std::optional<std::uint64_t> step{};  ///< which of the item's steps it was, if that is known
};

/// A completed result.
struct ItemResult {
  std::uint64_t bytes = 0;
  bool in_place = false;   ///< the worker wrote it into `place`
  std::uint64_t hash = 0;  ///< XXH3-64 of it, if it came in one piece
  std::optional<ResultAnnex> times{};
  std::size_t record = 0;  ///< which process computed it: Workers::record()
  std::size_t worker = 0;  ///< the place in the pool that this process has
};

class Job {
 public:
  virtual ~Job() = default;
  virtual std::string_view task() const = 0;
  /// Given to every worker once; unchanged while the job runs.
  virtual std::span<const std::byte> context() const = 0;
  /// May grow while the job runs: when an item is given up or split, and when the pool is told so
  /// (Dispatch::Grown).
  virtual std::size_t items() const = 0;
  /// Whether items() may still grow though every item is done.
  virtual bool MoreMayCome() const { return false; }
  /// Empty, or for each item the worker it belongs to.
  virtual std::span<const unsigned> owners() const { return {}; }
  /// Whether nobody can use one result before the others are there: then they may travel together
  /// where that is cheaper.
  virtual bool results_together() const { return true; }
  /// Whether results shall carry their times.
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
  /// How many workers the item may kill before it is given up; `usual` is what the job's options
  /// say.
  virtual unsigned MostDeaths(std::uint64_t /*item*/, unsigned usual) const { return usual; }
  /// The item would be given up, for it killed its workers or took too long. True: it is done in
  /// parts instead, which items() has counted since; nothing more is heard of the item itself.
  virtual bool Split(std::uint64_t /*item*/) { return false; }
  /// The item will have no result.
  virtual void GiveUp(const GivenUpItem& given_up) = 0;
  /// Begin() threw this. True: the item ends by it and the others go on, False: the job ends by it.
  virtual bool Refused(const GivenItem& /*given*/, const std::exception_ptr& /*error*/) {
    return false;
  }
  /// One step of the item threw; the item goes on. False: impossible, the sender is at fault.
  virtual bool StepThrew(const GivenItem& /*given*/, std::uint64_t /*step*/,
                         const std::string& /*type*/, const std::string& /*text*/,
                         pid_t /*worker*/) {
    return false;
  }
  /// Every item is done or given up. Items whose result turns out to be spoilt are computed anew.
  virtual std::vector<std::uint64_t> Recheck() { return {}; }
};

}  // namespace procpool
