#include "common/escape.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

namespace procpool {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "each operation has to be rounded to double");

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargestRadius = 1e100;

}  // namespace

EscapeBand EscapeBandOf(const Fractal& fractal) {
  const double bailout = fractal.bailout;
  if (fractal.measure == Measure::kNorm) {
    // Nothing is above infinity, but under kNotBelow an infinite norm has escaped.
    const bool infinity_escapes = bailout == kInfinity && fractal.escape == EscapeWhen::kNotBelow;
    return {bailout, infinity_escapes ? DBL_MAX : bailout};
  }
  if (!(bailout > 0)) return {-kInfinity, kInfinity};  // its square says nothing
  const double square = bailout * bailout;
  const double margin = 8 * DBL_EPSILON * std::min(square, DBL_MAX) + DBL_MIN;
  return {std::min(square, DBL_MAX) - margin, square + margin};
}

bool HasEscaped(const Fractal& fractal, double re, double im) {
  const double measure = fractal.measure == Measure::kAbs ? std::hypot(re, im) : re * re + im * im;
  return fractal.escape == EscapeWhen::kAbove ? measure > fractal.bailout
                                              : !(measure < fractal.bailout);
}

UncheckedSteps UncheckedStepsOf(const Fractal& fractal) {
  const double bailout =
      fractal.measure == Measure::kAbs ? fractal.bailout : std::sqrt(fractal.bailout);
  if (!(bailout >= 1.01)) return {-1, kInfinity};
  const double radius = std::min(bailout, kLargestRadius);
  return {std::min((radius * radius - radius) * (1 - 0x1p-20), kLargestRadius),
          radius * radius * (1 - 0x1p-40)};
}

}  // namespace procpool
