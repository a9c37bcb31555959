// The kernels: pure functions from points to int32 counts. Every kernel gives the same counts as
// `complex`, the reference, bit for bit (only `none`, the control that computes nothing, does not).
//
// One form serves both payloads. A point's four numbers each come from an Operand, which is an
// array or one value for all points: rows of a Julia set have z.re from an array, z.im fixed and c
// fixed; the coords payload has all four in arrays of interleaved complex numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/axis.h"
#include "common/fractal.h"

namespace procpool {

/// Value of point i: values[i * stride]. Stride 0: the same for all; 1: an array; 2: one part of
/// complex numbers.
struct Operand {
  const double* values = nullptr;
  std::size_t stride = 0;
  double operator[](std::size_t i) const { return values[i * stride]; }
};

struct Points {
  Operand z_re, z_im, c_re, c_im;
  std::size_t count = 0;
};

/// Writes points.count counts. Pure; called from any thread.
using KernelFunction = void (*)(const Fractal& fractal, const Points& points, std::int32_t* counts);

struct Kernel {
  std::string_view name;
  std::string_view description;
  KernelFunction compute;
};

/// All kernels of this build, the reference first.
std::span<const Kernel> Kernels();
/// nullptr if there is no such kernel. "auto" is the fastest one here.
const Kernel* FindKernel(std::string_view name);
/// "auto, complex, scalar, none", for messages.
std::string KernelNames();

/// Counts of `out.size()` points of the grid in row-major order, from point `first` on (row first /
/// width, column first % width). Works in stretches of at most one row and 4096 points, so its own
/// memory is small and fixed.
class RowsComputer {
 public:
  RowsComputer(const Fractal& fractal, const Kernel& kernel);
  /// first + out.size() <= width * height.
  void Compute(std::uint64_t first, std::span<std::int32_t> out);

 private:
  Fractal fractal_;
  Kernel kernel_;
  AxisPoints row_axis_;
  AxisPoints column_axis_;
  AxisStretch rows_;
  AxisStretch columns_;
};

/// Writes z and c of `count` points from point `first` on as interleaved (re, im) doubles:
/// z[2*count], c[2*count]. This is the coords payload's content.
void FillCoords(const Fractal& fractal, const AxisPoints& row_axis, const AxisPoints& column_axis,
                std::uint64_t first, std::size_t count, double* z, double* c);

}  // namespace procpool
