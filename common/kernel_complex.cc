// The reference: the definition of fractal.h in std::complex, one operation after the other,
// nothing clever.
//
// Why z * z is spelled out: GCC's operator* for complex numbers follows C99 Annex G, and where both
// parts of a product are NaN it calls __muldc3 to recover an infinity. Python and numpy do not. The
// recovery would turn (inf, NaN) into an infinite product where the plain formula stays NaN, and so
// change when such a point escapes (|inf| > 2, NaN is not). For finite operands both are the same
// operations in the same order.
#include <cmath>
#include <complex>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

using Complex = std::complex<double>;

Complex Square(const Complex& z) {
  return {z.real() * z.real() - z.imag() * z.imag(), z.real() * z.imag() + z.imag() * z.real()};
}

bool Escaped(const Fractal& fractal, const Complex& z) {
  const double measure =
      fractal.measure == Measure::kAbs ? std::abs(z) : z.real() * z.real() + z.imag() * z.imag();
  return fractal.escape == EscapeWhen::kAbove ? measure > fractal.bailout
                                              : !(measure < fractal.bailout);
}

std::int32_t CountOf(const Fractal& fractal, Complex z, const Complex& c) {
  for (std::int32_t step = 0; step < fractal.max_iterations; ++step) {
    if (fractal.test == TestPlace::kBeforeStep && Escaped(fractal, z)) return step;
    z = Square(z) + c;
    if (fractal.test == TestPlace::kAfterStep && Escaped(fractal, z)) return step;
  }
  return fractal.NeverCount();
}

}  // namespace

void ComputeComplex(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  for (std::size_t row = 0; row < points.rows; ++row) {
    for (std::size_t i = 0; i < points.columns; ++i) {
      *counts++ = CountOf(fractal, {points.z_re.At(row, i), points.z_im.At(row, i)},
                          {points.c_re.At(row, i), points.c_im.At(row, i)});
    }
  }
}

}  // namespace procpool
