#include "common/shared_memory.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <procpool/detail/shared_bytes.h>
#include "common/host.h"

namespace procpool {
namespace {

struct Watches {
  std::mutex mutex;
  std::vector<const std::function<void()>*> all;
};

// Never destroyed: an array may be a global of the program, and end after everything else.
Watches& TheWatches() {
  static Watches* const watches = new Watches;
  return *watches;
}

}  // namespace

std::uint32_t NextRegionId() {
  static std::atomic<std::uint32_t> last{0};
  return ++last;
}

SharedMemory::~SharedMemory() {
  buffer = Buffer();
  Watches& watches = TheWatches();
  const std::lock_guard lock(watches.mutex);
  for (const auto* unused : watches.all) (*unused)();
}

std::shared_ptr<SharedMemory> AdoptSharedMemory(std::shared_ptr<SharedRegion> region) {
  return std::make_shared<SharedMemory>(Buffer::Shared(NextRegionId(), std::move(region)));
}

SharedMemoryWatch::SharedMemoryWatch(std::function<void()> unused) : unused_(std::move(unused)) {
  Watches& watches = TheWatches();
  const std::lock_guard lock(watches.mutex);
  watches.all.push_back(&unused_);
}

SharedMemoryWatch::~SharedMemoryWatch() {
  Watches& watches = TheWatches();
  const std::lock_guard lock(watches.mutex);
  std::erase(watches.all, &unused_);
}

namespace detail {

SharedBytes SharedBytes::Allocate(std::size_t bytes) {
  RequireMemory(bytes, "shared array");
  SharedBytes shared;
  shared.memory_ = AdoptSharedMemory(std::make_shared<SharedRegion>(SharedRegion::Create(bytes)));
  shared.bytes_ = shared.memory_->buffer.bytes().first(bytes);
  return shared;
}

SharedBytes::SharedBytes(std::shared_ptr<SharedMemory> memory, std::uint64_t offset,
                         std::uint64_t bytes)
    : memory_(std::move(memory)) {
  const std::span<std::byte> all = memory_->buffer.bytes();
  if (offset > all.size() || bytes > all.size() - offset) {
    throw std::invalid_argument("the stretch does not lie in the shared memory it names");
  }
  bytes_ = all.subspan(offset, bytes);
}

std::uint32_t SharedBytes::id() const {
  return memory_ == nullptr ? 0 : memory_->buffer.region_id();
}

std::uint64_t SharedBytes::offset() const {
  if (memory_ == nullptr) return 0;
  return static_cast<std::uint64_t>(bytes_.data() - memory_->buffer.bytes().data());
}

}  // namespace detail
}  // namespace procpool
