#include "common/buffer.h"

#include <sys/mman.h>

#include <string>
#include <utility>

#include "common/os_error.h"

namespace procpool {

Buffer Buffer::Private(std::size_t bytes) {
  Buffer buffer;
  if (bytes == 0) return buffer;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    ThrowErrno("allocate", "buffer of " + std::to_string(bytes) + " bytes",
               "use a smaller grid or free memory");
  }
  buffer.private_ =
      std::shared_ptr<void>(memory, [bytes](void* mapped) { ::munmap(mapped, bytes); });
  buffer.bytes_ = {static_cast<std::byte*>(memory), bytes};
  return buffer;
}

Buffer Buffer::Shared(std::uint32_t id, std::shared_ptr<SharedRegion> region) {
  Buffer buffer;
  buffer.bytes_ = region->bytes();
  buffer.region_id_ = id;
  buffer.region_ = std::move(region);
  return buffer;
}

}  // namespace procpool
