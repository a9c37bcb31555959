#include "common/kernel_simd.h"
#include "common/unchecked_steps.h"

namespace procpool {

void ComputeSimdSse2(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::sse2, 6>(fractal, points, counts);
}

std::uint64_t UncheckedStepsSse2(int vectors, std::uint64_t rounds) {
  return MakeUncheckedSteps<xsimd::sse2>(vectors, rounds);
}

}  // namespace procpool
