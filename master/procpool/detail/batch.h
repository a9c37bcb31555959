// The calls of one map, apply or imap, as the pool works on them: inputs as bytes on their way to
// the workers, results and errors on their way back. typed_batch.h knows the types, the pool does
// not.
//
// All functions are called on the pool's thread, from when the batch is given to it until Ended().
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <procpool/detail/byte_task.h>
#include <procpool/detail/export.h>

namespace procpool::detail {

/// Where the input of a chunk may be written. One of the two is asked for, once.
class PROCPOOL_EXPORT InputRoom {
 public:
  virtual ~InputRoom() = default;
  /// Exactly so many bytes; where it pays they lie in memory that the workers share already.
  virtual std::span<std::byte> Exactly(std::size_t bytes) = 0;
  /// Empty, to be appended to, where the size is not known before.
  virtual std::vector<std::byte>& Growing() = 0;
};

/// A chunk that has been answered.
struct DoneChunk {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::vector<std::byte> bytes;  ///< its result, unless that is in its place already
  /// Calls of it that have no result here: they have failed, or will be done again.
  std::span<const std::uint64_t> without{};
  bool again = false;  ///< one call that had none in an earlier chunk
};

class PROCPOOL_EXPORT Batch {
 public:
  virtual ~Batch() = default;

  virtual std::string_view task() const = 0;
  /// What a worker is told before the first call (task_context.h).
  virtual const std::vector<std::byte>& context() const = 0;
  /// Calls so far.
  virtual std::uint64_t calls() const = 0;
  /// Whether calls() may still grow.
  virtual bool MoreMayCome() const { return false; }
  /// Calls that travel together; settled before the batch is given to the pool.
  virtual std::uint64_t chunk_size() const = 0;
  /// What its caller calls this call: the index among those that he made together.
  virtual std::uint64_t NumberOf(std::uint64_t call) const { return call; }
  /// Whether no result is of use before all are there.
  virtual bool results_together() const { return false; }

  /// The input of a chunk of calls: what `room` gave, or bytes that stay where they are until
  /// Ended(). Memory that the calls refer to is added to `shared`.
  virtual std::span<const std::byte> Input(std::uint64_t first, std::uint64_t count,
                                           InputRoom& room,
                                           std::vector<std::shared_ptr<SharedMemory>>& shared) = 0;
  /// How many bytes the result of a call has, if that is always the same; else 0.
  virtual std::size_t FlatResultBytes() const = 0;
  /// Where the results of a chunk belong, if they are flat and the batch has a place for each; else
  /// nothing, and Done() has them.
  virtual std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) = 0;
  virtual void Done(DoneChunk chunk) = 0;
  /// One call will have no result. Told before Done() where the chunk goes on, else in its place.
  virtual void Failed(std::uint64_t call, std::exception_ptr error) = 0;
  /// Nothing more will be told. error: what ended all of it, if something did.
  virtual void Ended(std::exception_ptr error) = 0;
};

}  // namespace procpool::detail
