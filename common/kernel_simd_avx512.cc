#include "common/kernel_simd.h"
#include "common/unchecked_steps.h"

namespace procpool {

void ComputeSimdAvx512(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::avx512dq, 8>(fractal, points, counts);
}

std::uint64_t UncheckedStepsAvx512(int vectors, std::uint64_t rounds) {
  return MakeUncheckedSteps<xsimd::avx512dq>(vectors, rounds);
}

}  // namespace procpool
