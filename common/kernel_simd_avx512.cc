#include "common/kernel_simd.h"

namespace procpool {

void ComputeSimdAvx512(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::avx512dq, 8>(fractal, points, counts);
}

}  // namespace procpool
