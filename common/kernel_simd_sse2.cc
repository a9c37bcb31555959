#include "common/kernel_simd.h"

namespace procpool {

void ComputeSimdSse2(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::sse2, 6>(fractal, points, counts);
}

}  // namespace procpool
