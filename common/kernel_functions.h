// The kernels' functions, one per file kernel_*.cc, for the registry in kernel.cc alone; everybody
// else asks FindKernel. Each keeps the promise of KernelFunction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/fractal.h"
#include "common/kernel.h"

namespace procpool {

void ComputeComplex(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeScalar(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeVector(const Fractal& fractal, const Points& points, std::int32_t* counts);
// Only where the CPU has that instruction set.
void ComputeSimdSse2(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeSimdAvx2(const Fractal& fractal, const Points& points, std::int32_t* counts);
void ComputeSimdAvx512(const Fractal& fractal, const Points& points, std::int32_t* counts);
std::uint64_t UncheckedStepsSse2(int vectors, std::uint64_t rounds);
std::uint64_t UncheckedStepsAvx2(int vectors, std::uint64_t rounds);
std::uint64_t UncheckedStepsAvx512(int vectors, std::uint64_t rounds);
void ComputeNone(const Fractal& fractal, const Points& points, std::int32_t* counts);

// What the kernels above leave to the kernel `scalar`.

/// Writes the count of one of the points to its place.
void CountPoint(const Fractal& fractal, const Points& points, std::size_t row, std::size_t column,
                std::int32_t* counts);
/// The count of a point whose next test is that of z after `done` steps (under
/// TestPlace::kAfterStep z has made one step more).
std::int32_t CountFrom(const Fractal& fractal, double re, double im, double c_re, double c_im,
                       std::int32_t done);

}  // namespace procpool
