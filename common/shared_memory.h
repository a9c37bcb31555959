// A region together with its number: what a SharedArray holds, on either side.
//
// In the master a region that only the pools still know has no user any more: when a SharedMemory
// ends, those who watch are told, so that they can let their workers forget it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/buffer.h"
#include "common/shared_region.h"

namespace procpool {

/// A number that no region of this process has had.
std::uint32_t NextRegionId();

struct SharedMemory {
  explicit SharedMemory(Buffer memory) : buffer(std::move(memory)) {}
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  Buffer buffer;
};

/// A region that came from another process, under a number of this one.
std::shared_ptr<SharedMemory> AdoptSharedMemory(std::shared_ptr<SharedRegion> region);

/// As long as it lives `unused` is called when some SharedMemory has ended, on whatever thread that
/// happens. It must neither block nor make or end a watch.
class SharedMemoryWatch {
 public:
  explicit SharedMemoryWatch(std::function<void()> unused);
  ~SharedMemoryWatch();
  SharedMemoryWatch(const SharedMemoryWatch&) = delete;
  SharedMemoryWatch& operator=(const SharedMemoryWatch&) = delete;

 private:
  std::function<void()> unused_;
};

}  // namespace procpool
