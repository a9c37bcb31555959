#include "worker/worker_regions.h"

#include <stdexcept>
#include <string>

namespace procpool {

std::shared_ptr<SharedMemory> WorkerRegions::Find(std::uint32_t id) {
  std::shared_ptr<SharedRegion> region = table_.Find(id);
  if (region == nullptr) {
    Fetch();
    region = table_.Find(id);
  }
  if (region == nullptr) {
    throw std::invalid_argument("the master shares no memory of number " + std::to_string(id) +
                                " with this worker");
  }
  return AdoptSharedMemory(std::move(region));
}

}  // namespace procpool
