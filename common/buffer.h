// A stretch of memory for a job's grid or inputs: shared with the workers where the transport can,
// private otherwise. Zero-filled; its pages cost memory when first touched. Movable; the memory
// goes with the last owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/shared_region.h"

namespace procpool {

class Buffer {
 public:
  Buffer() = default;
  static Buffer Private(std::size_t bytes);
  static Buffer Shared(std::uint32_t id, std::shared_ptr<SharedRegion> region);

  std::span<std::byte> bytes() const { return bytes_; }
  template <typename T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }
  /// The region's number, 0 if the memory is private.
  std::uint32_t region_id() const { return region_id_; }
  const std::shared_ptr<SharedRegion>& region() const { return region_; }

 private:
  std::shared_ptr<SharedRegion> region_;
  std::shared_ptr<void> private_;
  std::uint32_t region_id_ = 0;
  std::span<std::byte> bytes_;
};

}  // namespace procpool
