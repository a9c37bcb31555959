#include "common/kernel_simd.h"

namespace procpool {

void ComputeSimdAvx2(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  ComputeSimd<xsimd::fma3<xsimd::avx2>, 6>(fractal, points, counts);
}

}  // namespace procpool
