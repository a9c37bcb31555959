#include "common/pi_payload.h"

#include "common/philox.h"

namespace procpool {
namespace {

// From -1 to below 1, in steps of 2^-52: 53 of 64 random bits.
double Coordinate(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-52 - 1;
}

}  // namespace

std::uint64_t PointsInCircle(const PiItem& item) {
  const PhiloxKey key{static_cast<std::uint32_t>(item.seed),
                      static_cast<std::uint32_t>(item.seed >> 32)};
  std::uint64_t inside = 0;
  for (std::uint64_t n = item.first; n != item.first + item.points; ++n) {
    const PhiloxBlock block =
        Philox({static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32), 0, 0}, key);
    const double x = Coordinate(block[0], block[1]);
    const double y = Coordinate(block[2], block[3]);
    inside += x * x + y * y < 1 ? 1 : 0;
  }
  return inside;
}

}  // namespace procpool
