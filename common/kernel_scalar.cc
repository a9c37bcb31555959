// One point at a time in expanded arithmetic: the squares serve the step and the test, and no hypot
// is in the loop (escape.h). re*im + im*re is t + t with t = re*im, for multiplication commutes bit
// for bit.
//
// The loop's time is the latency of multiply, subtract, add: 12 cycles a step; the test costs
// nothing beside it.
#include "common/escape.h"
#include "common/kernel_functions.h"

namespace procpool {
namespace {

std::int32_t Count(const Fractal& fractal, const EscapeBand& band, double re, double im,
                   double c_re, double c_im, std::int32_t done) {
  double re_square = re * re;
  double im_square = im * im;
  for (std::int32_t step = done; step < fractal.max_iterations; ++step) {
    const double norm = re_square + im_square;
    if (!(norm < band.below) && (norm > band.above || HasEscaped(fractal, re, im))) return step;
    const double product = re * im;
    re = (re_square - im_square) + c_re;
    im = (product + product) + c_im;
    re_square = re * re;
    im_square = im * im;
  }
  return fractal.NeverCount();
}

// A test after each step is one before each, if the first step has been made already.
std::int32_t CountAll(const Fractal& fractal, const EscapeBand& band, double re, double im,
                      double c_re, double c_im) {
  if (fractal.test == TestPlace::kAfterStep) {
    const double product = re * im;
    re = (re * re - im * im) + c_re;
    im = (product + product) + c_im;
  }
  return Count(fractal, band, re, im, c_re, c_im, 0);
}

}  // namespace

std::int32_t CountFrom(const Fractal& fractal, double re, double im, double c_re, double c_im,
                       std::int32_t done) {
  return Count(fractal, EscapeBandOf(fractal), re, im, c_re, c_im, done);
}

void CountPoint(const Fractal& fractal, const Points& points, std::size_t row, std::size_t column,
                std::int32_t* counts) {
  counts[row * points.columns + column] = CountAll(
      fractal, EscapeBandOf(fractal), points.z_re.At(row, column), points.z_im.At(row, column),
      points.c_re.At(row, column), points.c_im.At(row, column));
}

void ComputeScalar(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  const EscapeBand band = EscapeBandOf(fractal);
  for (std::size_t row = 0; row < points.rows; ++row) {
    for (std::size_t i = 0; i < points.columns; ++i) {
      *counts++ = CountAll(fractal, band, points.z_re.At(row, i), points.z_im.At(row, i),
                           points.c_re.At(row, i), points.c_im.At(row, i));
    }
  }
}

}  // namespace procpool
