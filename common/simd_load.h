// Points of a row into vectors, for any instruction set of simd_lanes.h: a part of the kernel
// `simd` (kernel_simd.h).
//
// Included like kernel_simd.h.
#pragma once

#include <cstddef>

#include "common/kernel.h"
#include "common/simd_lanes.h"

namespace procpool {
namespace {

/// kVectors vectors from one column on, of which `size` values are there (at least one); beyond
/// them the last one over and over.
template <class L, int kVectors>
[[gnu::always_inline]] inline void LoadOperand(const Operand& operand, std::size_t row,
                                               std::size_t column, int size,
                                               typename L::Real (&to)[kVectors]) {  // NOLINT
  using Real = typename L::Real;
  constexpr int kValues = kVectors * L::kCount;
  const double* const from = operand.values + row * operand.row_stride + column * operand.stride;
  if (operand.stride == 0) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) to[v] = Real(*from);
  } else if (operand.stride == 1 && size == kValues) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      to[v] = Real::load_unaligned(from + std::ptrdiff_t{v} * L::kCount);
  } else {
    alignas(64) double values[kValues];  // NOLINT
    for (int i = 0; i < kValues; ++i)
      values[i] = from[static_cast<std::size_t>(i < size ? i : size - 1) * operand.stride];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v)
      to[v] = Real::load_aligned(values + std::ptrdiff_t{v} * L::kCount);
  }
}

}  // namespace
}  // namespace procpool
