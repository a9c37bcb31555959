#include "worker/task_produce.h"

#include <cstring>
#include <stdexcept>

#include "common/pattern.h"
#include "common/produce_payload.h"
#include "common/wire.h"

namespace procpool {
namespace {

class ProduceTask final : public ByteTask {
 public:
  void Run(std::span<const std::byte> input, TaskOutput& output) override {
    ProduceItem item;
    if (input.size() != sizeof item) throw std::invalid_argument("the item is not 16 bytes long");
    std::memcpy(&item, input.data(), sizeof item);
    if (item.bytes > kMaxPayloadBytes)
      throw std::invalid_argument("no result may be as long as the one asked for");
    while (item.bytes > 0) {
      std::span<std::byte> room = output.Reserve(item.bytes);
      // Pieces end between words, so that the next one begins with a whole word.
      if (room.size() < item.bytes && room.size() >= sizeof(std::uint64_t))
        room = room.first(room.size() / sizeof(std::uint64_t) * sizeof(std::uint64_t));
      FillPattern(room, item.first);
      output.Commit(room.size());
      item.first += room.size() / sizeof(std::uint64_t);
      item.bytes -= room.size();
    }
  }
};

}  // namespace

std::unique_ptr<ByteTask> MakeProduceTask(std::span<const std::byte> /*context*/) {
  return std::make_unique<ProduceTask>();
}

}  // namespace procpool
