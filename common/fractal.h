// What is computed at every point of the grid: the part of a workload that a worker needs.
//
// A Fractal is plain data (no strings, no pointers): it travels to the workers as its bytes, and
// nothing in it is a code path per workload. Both sides are the same build (the handshake checks
// that), so the bytes mean the same.
//
// Step:  z <- z*z + c, in the plain order re' = (re*re - im*im) + c_re, im' = (re*im + im*re) +
// c_im, each operation rounded once.
#pragma once

#include <cstdint>
#include <type_traits>

namespace procpool {

/// How the coordinates of an axis come about. The rules differ in the last bits, and so do the
/// grids.
enum class AxisRule : std::uint32_t {
  kRepeatedAddition,  ///< p0 = start, p(i+1) = p(i) + step;           step = (stop - start) /
                      ///< points
  kLinear,   ///< p(i) = start + i * step;                    step = (stop - start) / points
  kCentred,  ///< p(i) = center + (i - points/2) * step;      step = the larger extent/points of the
             ///< two axes
  kArange,   ///< numpy.arange: p(i) = start + i * ((start + step) - start)
};

struct Axis {
  AxisRule rule = AxisRule::kLinear;
  std::uint32_t points = 0;  ///< width or height
  double start = 0;          ///< kCentred: the center
  double step = 0;

  bool operator==(const Axis&) const = default;
};

/// Which of z (the start of the orbit) and c (its constant) the pixel gives; the other is
/// `constant`.
enum class PixelRole : std::uint32_t { kZ /* Julia */, kC /* Mandelbrot */ };
/// What is measured of z: its modulus by std::abs (hypot), or the squared norm re*re + im*im.
enum class Measure : std::uint32_t { kAbs, kNorm };
/// An orbit has escaped when !(measure < bailout), so that NaN escapes, or when measure > bailout,
/// where it does not.
enum class EscapeWhen : std::uint32_t { kNotBelow, kAbove };
/// The test stands before each step (and before the first), or after it.
enum class TestPlace : std::uint32_t { kBeforeStep, kAfterStep };
/// What is counted for a point that never escapes.
enum class NeverValue : std::uint32_t { kMaxIterations, kLastStep, kZero };

/// The count of a point is the number of steps before the test that found it escaped: under
/// kBeforeStep the steps done, under kAfterStep the zero-based index of the step just done.
struct Fractal {
  Axis real;
  Axis imaginary;
  std::uint32_t rows_are_real =
      0;  ///< 0: a row runs along the real axis (rows = imaginary parts); 1: the other way
  PixelRole pixel = PixelRole::kZ;
  double constant_re = 0;
  double constant_im = 0;
  double bailout =
      2;  ///< compared with the measure as it is (4 for kNorm and a radius of 2); may be infinite
  Measure measure = Measure::kAbs;
  EscapeWhen escape = EscapeWhen::kNotBelow;
  TestPlace test = TestPlace::kBeforeStep;
  NeverValue never = NeverValue::kMaxIterations;
  std::int32_t max_iterations = 0;
  std::uint32_t reserved = 0;  ///< keeps the layout free of padding

  /// The axis that runs down the rows, and the one that runs along a row.
  const Axis& RowAxis() const { return rows_are_real != 0 ? real : imaginary; }
  const Axis& ColumnAxis() const { return rows_are_real != 0 ? imaginary : real; }
  std::uint32_t Width() const { return ColumnAxis().points; }
  std::uint32_t Height() const { return RowAxis().points; }
  /// The count of a point that never escapes.
  std::int32_t NeverCount() const {
    switch (never) {
      case NeverValue::kLastStep:
        return max_iterations - 1;
      case NeverValue::kZero:
        return 0;
      default:
        return max_iterations;
    }
  }

  bool operator==(const Fractal&) const = default;
};
static_assert(std::is_trivially_copyable_v<Fractal>);

}  // namespace procpool
