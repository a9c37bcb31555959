#include "master/input_arena.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "common/host.h"
#include "common/shared_memory.h"

namespace procpool {
namespace {

constexpr std::size_t kLeastBlock = std::size_t{64} * 1024;
// More than this is given back to the system.
constexpr std::size_t kMostIdle = std::size_t{64} << 20;

}  // namespace

Buffer InputArena::Take(std::size_t bytes) {
  // Powers of two, so that a block fits many inputs; pages that are not touched cost nothing.
  const std::size_t size = std::bit_ceil(std::max(bytes, kLeastBlock));
  std::vector<Buffer>& fitting = blocks_[size];
  if (!fitting.empty()) {
    Buffer block = std::move(fitting.back());
    fitting.pop_back();
    idle_ -= size;
    return block;
  }
  RequireMemory(bytes, "inputs of calls");
  return Buffer::Shared(NextRegionId(), std::make_shared<SharedRegion>(SharedRegion::Create(size)));
}

void InputArena::GiveBack(Buffer block) {
  const std::size_t size = block.bytes().size();
  if (idle_ + size > kMostIdle) return;
  idle_ += size;
  blocks_[size].push_back(std::move(block));
}

}  // namespace procpool
