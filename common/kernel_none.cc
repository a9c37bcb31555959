// The control that computes nothing: with it a run measures what the pool itself costs. It reads
// every coordinate it is given and writes every count, so that the bytes that travel are as many,
// as freshly written and as surely read as those of a real kernel.
#include <algorithm>
#include <bit>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

// Two operands that are the parts of one array of complex numbers are read as one stretch.
std::uint64_t Read(const Operand& re, const Operand& im, std::size_t count) {
  std::uint64_t all = 0;
  if (re.stride == 2 && im.stride == 2 && im.values == re.values + 1) {
    for (std::size_t i = 0; i < 2 * count; ++i) all ^= std::bit_cast<std::uint64_t>(re.values[i]);
    return all;
  }
  for (const Operand& operand : {re, im}) {
    const std::size_t values = operand.stride == 0 ? 1 : count;
    for (std::size_t i = 0; i < values; ++i) all ^= std::bit_cast<std::uint64_t>(operand[i]);
  }
  return all;
}

}  // namespace

void ComputeNone(const Fractal& /*fractal*/, const Points& points, std::int32_t* counts) {
  std::uint64_t all = 0;
  if (points.count > 0) {
    all =
        Read(points.z_re, points.z_im, points.count) ^ Read(points.c_re, points.c_im, points.count);
  }
  asm volatile("" : : "r"(all));  // NOLINT: so that the reading cannot be left out
  std::fill_n(counts, points.count, 0);
}

}  // namespace procpool
