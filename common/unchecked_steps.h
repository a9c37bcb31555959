// What a CPU can do at most with this arithmetic: steps z*z + c of many orbits at once, in
// registers, without a test. The measure of the kernels `simd` (`master kernels` shows their
// share).
//
// For any instruction set of simd_lanes.h, and included like kernel_simd.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/simd_lanes.h"

namespace procpool {
namespace {

// kVectors orbits vectors are on their way together: too few do not hide the latency of a step, too
// many do not fit into the registers.
template <class Arch, int kVectors>
std::uint64_t MakeUncheckedSteps(std::uint64_t rounds) {
  using L = Lanes<Arch>;
  using Real = typename L::Real;
  constexpr double kRe = -0.5;  // whoever starts near 0 stays there
  constexpr double kIm = 0.1;
  const Real c_re(kRe);
  const Real c_im(kIm);
  Real re[kVectors], im[kVectors];  // NOLINT: registers
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) {
    re[v] = Real(0.01 * v);
    im[v] = Real(0.05);
  }
  for (std::uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const Real product = re[v] * im[v];
      re[v] = (re[v] * re[v] - im[v] * im[v]) + c_re;
      im[v] = L::Doubled(product, c_im);
    }
  }
  Real sum(0.0);
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum = sum + re[v] + im[v];
  asm volatile("" : : "x"(sum.data));  // NOLINT: so that the steps cannot be left out
  return rounds * kVectors * L::kCount;
}

template <class Arch>
std::uint64_t MakeUncheckedSteps(int vectors, std::uint64_t rounds) {
  switch (vectors) {
    case 4:
      return MakeUncheckedSteps<Arch, 4>(rounds);
    case 5:
      return MakeUncheckedSteps<Arch, 5>(rounds);
    case 6:
      return MakeUncheckedSteps<Arch, 6>(rounds);
    case 7:
      return MakeUncheckedSteps<Arch, 7>(rounds);
    case 8:
      return MakeUncheckedSteps<Arch, 8>(rounds);
    default:
      return MakeUncheckedSteps<Arch, 10>(rounds);
  }
}

}  // namespace
}  // namespace procpool
