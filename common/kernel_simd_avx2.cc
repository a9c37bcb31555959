#include "common/kernel_simd.h"
#include "common/unchecked_steps.h"

namespace procpool {

void ComputeSimdAvx2(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::fma3<xsimd::avx2>, 6>(fractal, points, counts);
}

std::uint64_t UncheckedStepsAvx2(int vectors, std::uint64_t rounds) {
  return MakeUncheckedSteps<xsimd::fma3<xsimd::avx2>>(vectors, rounds);
}

}  // namespace procpool
