// One point at a time in expanded arithmetic: the squares serve the step and the test, and no hypot
// is in the loop.
//
// Why the counts are those of kernel_complex.cc:
//  - re*im + im*re is t + t with t = re*im, for multiplication commutes bit for bit.
//  - kNorm: re*re + im*im is the measure itself.
//  - kAbs: the norm differs from |z|^2 by less than one epsilon, hypot from |z| by no more than one
//  ulp. So a norm
//    outside a band of 8 epsilon around bailout^2 decides; inside it (and for NaN) hypot does. The
//    band also takes care of what overflows or underflows: where bailout^2 is not finite, its upper
//    end is infinite and a finite norm below its lower end is certain; DBL_MIN is added for squares
//    that lose bits as denormals.
//
// The loop's time is the latency of multiply, subtract, add: 12 cycles a step; the test costs
// nothing beside it.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

#include "common/kernel_functions.h"

namespace procpool {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "each operation has to be rounded to double");

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The escape test; `norm` is re*re + im*im.
template <Measure measure, EscapeWhen when>
class EscapeTest;

template <EscapeWhen when>
class EscapeTest<Measure::kNorm, when> {
 public:
  explicit EscapeTest(double bailout) : bailout_(bailout) {}

  bool operator()(double /*re*/, double /*im*/, double norm) const {
    return when == EscapeWhen::kAbove ? norm > bailout_ : !(norm < bailout_);
  }

 private:
  double bailout_;
};

template <EscapeWhen when>
class EscapeTest<Measure::kAbs, when> {
 public:
  explicit EscapeTest(double bailout) : bailout_(bailout) {
    if (!(bailout > 0)) return;  // its square says nothing: hypot decides every time
    const double square = bailout * bailout;
    const double margin = 8 * DBL_EPSILON * std::min(square, DBL_MAX) + DBL_MIN;
    below_ = std::min(square, DBL_MAX) - margin;
    above_ = square + margin;
  }

  bool operator()(double re, double im, double norm) const {
    if (norm < below_) [[likely]]
      return false;
    if (norm > above_) return true;
    return ByHypot(re, im);
  }

 private:
  [[gnu::noinline]] bool ByHypot(double re, double im) const {
    const double modulus = std::hypot(re, im);
    return when == EscapeWhen::kAbove ? modulus > bailout_ : !(modulus < bailout_);
  }

  double bailout_;
  double below_ = -kInfinity;  // a norm below has certainly not escaped …
  double above_ = kInfinity;   // … and one above certainly has
};

struct Limits {
  std::int32_t max_iterations;
  std::int32_t never_count;
};

template <TestPlace place, class Test>
std::int32_t CountOf(double re, double im, double c_re, double c_im, const Test& escaped,
                     const Limits& limits) {
  double re_square = re * re;
  double im_square = im * im;
  for (std::int32_t step = 0; step < limits.max_iterations; ++step) {
    if (place == TestPlace::kBeforeStep && escaped(re, im, re_square + im_square)) return step;
    const double product = re * im;
    re = (re_square - im_square) + c_re;
    im = (product + product) + c_im;
    re_square = re * re;
    im_square = im * im;
    if (place == TestPlace::kAfterStep && escaped(re, im, re_square + im_square)) return step;
  }
  return limits.never_count;
}

template <Measure measure, EscapeWhen when, TestPlace place>
void Compute(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  const EscapeTest<measure, when> escaped(fractal.bailout);
  const Limits limits{fractal.max_iterations, fractal.NeverCount()};
  for (std::size_t i = 0; i < points.count; ++i) {
    counts[i] = CountOf<place>(points.z_re[i], points.z_im[i], points.c_re[i], points.c_im[i],
                               escaped, limits);
  }
}

template <Measure measure, EscapeWhen when>
KernelFunction ForPlace(TestPlace place) {
  return place == TestPlace::kBeforeStep ? Compute<measure, when, TestPlace::kBeforeStep>
                                         : Compute<measure, when, TestPlace::kAfterStep>;
}

template <Measure measure>
KernelFunction ForWhen(EscapeWhen when, TestPlace place) {
  return when == EscapeWhen::kAbove ? ForPlace<measure, EscapeWhen::kAbove>(place)
                                    : ForPlace<measure, EscapeWhen::kNotBelow>(place);
}

}  // namespace

void ComputeScalar(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  // The rule is chosen here, once, and compiled into the loop.
  const KernelFunction compute = fractal.measure == Measure::kAbs
                                     ? ForWhen<Measure::kAbs>(fractal.escape, fractal.test)
                                     : ForWhen<Measure::kNorm>(fractal.escape, fractal.test);
  compute(fractal, points, counts);
}

}  // namespace procpool
