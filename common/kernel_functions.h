// The kernels' functions, one per file kernel_*.cc, for the registry in kernel.cc alone; everybody
// else asks FindKernel. Each keeps the promise of KernelFunction.
#pragma once

#include <cstdint>

#include "common/fractal.h"
#include "common/kernel.h"

namespace procpool {

void ComputeComplex(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeScalar(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeNone(const Fractal& fractal, const Points& points, std::int32_t* counts);

}  // namespace procpool
