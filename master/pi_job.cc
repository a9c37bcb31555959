#include "master/pi_job.h"

namespace procpool {

PiJob::PiJob(std::uint64_t seed, std::uint64_t points, std::size_t items) {
  items_.reserve(items);
  std::uint64_t first = 0;
  for (std::size_t item = 0; item < items; ++item) {
    const std::uint64_t share = points / items + (item < points % items ? 1 : 0);
    items_.push_back({.seed = seed, .first = first, .points = share});
    first += share;
  }
}

ItemInput PiJob::Begin(const GivenItem& given) {
  return {.input = std::as_bytes(std::span(&items_[given.item], 1))};
}

std::optional<std::span<std::byte>> PiJob::PlaceFor(const GivenItem& /*given*/,
                                                    std::uint64_t offset, std::uint64_t bytes) {
  if (offset != 0 || bytes != sizeof answer_) return std::nullopt;
  return std::as_writable_bytes(std::span(&answer_, 1));
}

bool PiJob::Complete(const GivenItem& given, const ItemResult& result) {
  if (result.bytes != sizeof answer_ || answer_ > items_[given.item].points) return false;
  inside_ += answer_;
  return true;
}

}  // namespace procpool
