// A stretch of shared memory, with its part in keeping the memory alive. SharedArray gives it a
// type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <procpool/detail/export.h>

namespace procpool {

struct SharedMemory;

namespace detail {

class PROCPOOL_EXPORT SharedBytes {
 public:
  SharedBytes() = default;
  /// New memory, zero-filled. Throws Error{kMachine} if there is not enough.
  static SharedBytes Allocate(std::size_t bytes);
  /// Throws std::invalid_argument if the stretch does not lie in the memory.
  SharedBytes(std::shared_ptr<SharedMemory> memory, std::uint64_t offset, std::uint64_t bytes);

  std::span<std::byte> bytes() const { return bytes_; }
  /// A part of it; the caller has seen to the bounds.
  SharedBytes Part(std::size_t offset, std::size_t bytes) const {
    SharedBytes part = *this;
    part.bytes_ = bytes_.subspan(offset, bytes);
    return part;
  }
  /// Number of the memory, 0 for none, and where in it the stretch begins.
  std::uint32_t id() const;
  std::uint64_t offset() const;
  const std::shared_ptr<SharedMemory>& memory() const { return memory_; }

 private:
  std::shared_ptr<SharedMemory> memory_;
  std::span<std::byte> bytes_;
};

}  // namespace detail
}  // namespace procpool
