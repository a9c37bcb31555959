// The control that computes nothing: with it a run measures what the pool itself costs. It reads
// every coordinate it is given and writes every count, so that the bytes that travel are as many,
// as freshly written and as surely read as those of a real kernel.
#include <algorithm>
#include <bit>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

// Two operands that are the parts of one array of complex numbers are read as one stretch.
std::uint64_t Read(const Operand& re, const Operand& im, std::size_t columns, std::size_t rows) {
  std::uint64_t all = 0;
  if (re.stride == 2 && im.stride == 2 && rows == 1 && im.values == re.values + 1) {
    for (std::size_t i = 0; i < 2 * columns; ++i) all ^= std::bit_cast<std::uint64_t>(re.values[i]);
    return all;
  }
  for (const Operand& operand : {re, im}) {
    const std::size_t across = operand.stride == 0 ? 1 : columns;
    const std::size_t down = operand.row_stride == 0 ? 1 : rows;
    for (std::size_t row = 0; row < down; ++row) {
      for (std::size_t i = 0; i < across; ++i)
        all ^= std::bit_cast<std::uint64_t>(operand.At(row, i));
    }
  }
  return all;
}

}  // namespace

void ComputeNone(const Fractal& /*fractal*/, const Points& points, std::int32_t* counts) {
  const std::size_t count = points.rows * points.columns;
  std::uint64_t all = 0;
  if (count > 0) {
    all = Read(points.z_re, points.z_im, points.columns, points.rows) ^
          Read(points.c_re, points.c_im, points.columns, points.rows);
  }
  asm volatile("" : : "r"(all));  // NOLINT: so that the reading cannot be left out
  std::fill_n(counts, count, 0);
}

}  // namespace procpool
