#include "worker/task_pi.h"

#include <cstring>
#include <stdexcept>

#include "common/pi_payload.h"

namespace procpool {
namespace {

class PiTask final : public ByteTask {
 public:
  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    PiItem item;
    if (input.size() != sizeof item) throw std::invalid_argument("the item is not 24 bytes long");
    std::memcpy(&item, input.data(), sizeof item);
    const std::uint64_t inside = PointsInCircle(item);
    output.Write(std::as_bytes(std::span(&inside, 1)));
  }
};

}  // namespace

std::unique_ptr<ByteTask> MakePiTask(std::span<const std::byte> /*context*/) {
  return std::make_unique<PiTask>();
}

}  // namespace procpool
