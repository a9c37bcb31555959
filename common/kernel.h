// The kernels: pure functions from points to int32 counts. Every kernel gives the same counts as
// `complex`, the reference, bit for bit (only `none`, the control that computes nothing, does not).
//
// One form serves both payloads. A point's four numbers each come from an Operand, which is an
// array or one value for all points: rows of a Julia set have z.re from an array, z.im one for each
// row and c fixed; the coords payload has all four in arrays of interleaved complex numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/axis.h"
#include "common/fractal.h"

namespace procpool {

/// Of the point in row r and column i: values[r * row_stride + i * stride]. Stride 0: the same for
/// all; 1: an array; 2: one part of complex numbers.
struct Operand {
  const double* values = nullptr;
  std::size_t stride = 0;
  std::size_t row_stride = 0;
  double At(std::size_t row, std::size_t column) const {
    return values[row * row_stride + column * stride];
  }
};

/// Rows of points, all of the same length; fewer than 2^32 points in all.
struct Points {
  Operand z_re, z_im, c_re, c_im;
  std::size_t columns = 0;
  std::size_t rows = 1;
};

/// Writes points.rows * points.columns counts, row by row. Pure; called from any thread.
using KernelFunction = void (*)(const Fractal& fractal, const Points& points, std::int32_t* counts);

/// Makes `rounds` steps with each of some vectors of orbits (4, 5, 6, 7, 8 or 10 vectors, of as
/// many lanes as the instruction set has), without a test; returns how many steps that were. The
/// fastest choice of `vectors` is what the CPU can do at most.
using UncheckedStepsFunction = std::uint64_t (*)(int vectors, std::uint64_t rounds);

struct Kernel {
  std::string_view name;
  std::string_view description;
  KernelFunction compute;
  UncheckedStepsFunction unchecked = nullptr;  ///< of a kernel "simd:TARGET", for its target
};

/// All kernels that this machine can run, the reference first.
std::span<const Kernel> Kernels();
/// nullptr if there is no such kernel here. "auto" is the fastest one, "simd" the fastest
/// "simd:TARGET".
const Kernel* FindKernel(std::string_view name);
/// "auto, complex, scalar, …", for messages.
std::string KernelNames();

/// Counts of `out.size()` points of the grid in row-major order, from point `first` on (row first /
/// width, column first % width). Works in stretches of whole rows, or of at most 4096 points of
/// one, so its own memory is small and fixed.
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
