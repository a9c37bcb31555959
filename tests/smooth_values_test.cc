// Smooth values against their definition worked out anew in more precision, and against what they
// promise: no jumps where the counts have them, and nothing of how a workload counts.
#include "master/smooth_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "common/workload.h"

namespace procpool {
namespace {

Fractal Window(std::string_view workload, double re, double im, double extent,
               std::uint32_t points = 64) {
  WorkloadOverrides overrides;
  overrides.width = points;
  overrides.height = points;
  overrides.center = {{re, im}};
  overrides.extent = extent;
  return LoadWorkload(workload, overrides).fractal;
}

/// A row of `points` points along the real axis from `from` to `to`.
Fractal Line(PixelRole pixel, double from, double to, double im, std::uint32_t points) {
  Fractal fractal;
  fractal.real = {AxisRule::kLinear, points, from, (to - from) / points};
  fractal.imaginary = {AxisRule::kLinear, 1, im, 0};
  fractal.pixel = pixel;
  if (pixel == PixelRole::kZ) {
    fractal.constant_re = -0.62772;
    fractal.constant_im = -0.42193;
  }
  fractal.max_iterations = 300;
  return fractal;
}

std::vector<float> RowOf(const Fractal& fractal, std::uint32_t row = 0) {
  std::vector<float> values(fractal.Width());
  SmoothValues(fractal).Compute(row, {}, values);
  return values;
}

/// The limit of nu - log2(ln R) for large R, by 64 bits of mantissa; nothing for a point inside.
std::optional<double> Exactly(std::complex<long double> z, std::complex<long double> c,
                              int max_iterations) {
  for (int n = 0; n <= max_iterations + 20; ++n) {
    if (std::abs(z) > 1e30L) return static_cast<double>(n + 1 - std::log2(std::log(std::abs(z))));
    z = z * z + c;
  }
  return std::nullopt;
}

TEST(SmoothValuesTest, AreWhatTheDefinitionSays) {
  for (const auto& fractal :
       {Window("julia-book", 0.1, 0.2, 3), Window("mandelbrot-workshop", -0.7, 0.1, 3),
        Window("mandelbrot-workshop", -0.75, 0.1, 0.01), Window("julia-lesson", 0, 0.3, 3)}) {
    const SmoothValues smooth(fractal);
    const AxisPoints real(fractal.real);
    const AxisPoints imaginary(fractal.imaginary);
    const double shift = std::log2(std::log(smooth.radius()));
    std::vector<float> values(fractal.Width());
    int outside = 0;
    for (std::uint32_t row = 0; row < fractal.Height(); row += 7) {
      smooth.Compute(row, {}, values);
      for (std::uint32_t column = 0; column < fractal.Width(); ++column) {
        const bool turned = fractal.rows_are_real != 0;
        const std::complex<long double> pixel(real.At(turned ? row : column),
                                              imaginary.At(turned ? column : row));
        const std::complex<long double> constant(fractal.constant_re, fractal.constant_im);
        const bool is_start = fractal.pixel == PixelRole::kZ;
        const auto exact = Exactly(is_start ? pixel : constant, is_start ? constant : pixel,
                                   fractal.max_iterations);
        if (values[column] == SmoothValues::kInside || !exact) continue;
        ++outside;
        // Each step doubles a rounding error of the orbit at least; long orbits are left out.
        if (*exact > 40) continue;
        EXPECT_NEAR(values[column] - shift, *exact, 1e-4) << row << " " << column;
      }
    }
    EXPECT_GT(outside, 300);
  }
}

// Between two neighbours the value changes by about its slope times their distance, across a
// band's border too. With the points twice as close the largest change is half as large.
TEST(SmoothValuesTest, HaveNoJumpsBetweenBands) {
  const auto largest_change = [](const Fractal& fractal) {
    const std::vector<float> values = RowOf(fractal);
    float change = 0;
    for (std::size_t i = 1; i < values.size(); ++i)
      change = std::max(change, std::abs(values[i] - values[i - 1]));
    return change;
  };
  for (const PixelRole pixel : {PixelRole::kZ, PixelRole::kC}) {
    const auto line = [&](std::uint32_t points) { return Line(pixel, 2.1, 1000, 0.4, points); };
    const std::vector<float> ends = RowOf(line(1000));
    EXPECT_GT(ends.front() - ends.back(), 2) << "several bands are crossed";
    const float coarse = largest_change(line(20'000));
    EXPECT_LT(coarse, 0.2) << "a jump between bands would be about 1";
    EXPECT_LT(largest_change(line(200'000)), 0.15 * coarse);
  }
}

TEST(SmoothValuesTest, LargeConstantsHaveNoJumpsEither) {
  Fractal julia = Line(PixelRole::kZ, 100, 1e6, 0, 1'000'000);
  julia.constant_re = 1e6;
  for (const Fractal& fractal : {julia, Line(PixelRole::kC, 1e3, 1e7, 0, 1'000'000)}) {
    const std::vector<float> values = RowOf(fractal);
    for (std::size_t i = 1000; i < values.size(); ++i)
      ASSERT_NEAR(values[i], values[i - 1], 2e-3) << i;
  }
}

TEST(SmoothValuesTest, DoNotKnowHowTheWorkloadCounts) {
  const Fractal fractal = Window("mandelbrot-workshop", -0.7, 0, 3);
  Fractal other = fractal;
  other.bailout = std::numeric_limits<double>::infinity();
  other.measure = Measure::kAbs;
  other.escape = EscapeWhen::kNotBelow;
  other.test = TestPlace::kBeforeStep;
  other.never = NeverValue::kZero;
  EXPECT_EQ(RowOf(fractal, 20), RowOf(other, 20));
  other.bailout = 0.5;
  EXPECT_EQ(RowOf(fractal, 20), RowOf(other, 20));
  other.max_iterations = 3;
  EXPECT_NE(RowOf(fractal, 20), RowOf(other, 20));
}

TEST(SmoothValuesTest, InsideIsWhatStaysThroughTheLastStep) {
  // c = 0: |z| = 1.5^(2^n) passes 256 after 4 steps, 1.01 after 10; 0.99 never.
  Fractal fractal = Line(PixelRole::kZ, 0.99, 1.03, 0, 2);  // 0.99 and 1.01
  fractal.constant_re = fractal.constant_im = 0;
  fractal.max_iterations = 1;
  const double steps = std::ceil(std::log2(std::log(256) / std::log(1.01)));
  EXPECT_EQ(steps, 10);
  EXPECT_EQ(RowOf(fractal), (std::vector{SmoothValues::kInside, SmoothValues::kInside}));
  fractal.max_iterations = 3;  // 3 + 8 are enough
  EXPECT_EQ(RowOf(fractal)[0], SmoothValues::kInside);
  EXPECT_NEAR(RowOf(fractal)[1], 1 - std::log2(std::log(1.01) / std::log(256)), 1e-4);
  fractal.max_iterations = std::numeric_limits<std::int32_t>::max();
  fractal.real.start = 1.01;
  fractal.real.step = 0;
  EXPECT_NEAR(RowOf(fractal)[0], 1 - std::log2(std::log(1.01) / std::log(256)), 1e-4);
}

TEST(SmoothValuesTest, AreNumbersHoweverFarOut) {
  for (const double far : {1e3, 1e100, 1e155, 1e300, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    for (const PixelRole pixel : {PixelRole::kZ, PixelRole::kC}) {
      Fractal fractal = Line(pixel, far, far, far, 3);
      fractal.real.step = 0;
      for (const float value : RowOf(fractal)) EXPECT_TRUE(std::isfinite(value)) << far;
    }
  }
}

TEST(SmoothValuesTest, WhatNeverEscapesByTheCountLiesInside) {
  // Wider than what is computed at a time.
  Fractal fractal = Window("julia-book", 0, 0, 3.5, 1300);
  const SmoothValues smooth(fractal);
  std::vector<float> alone(1300);
  smooth.Compute(600, {}, alone);
  std::vector<std::int32_t> counts(1300, 7);
  std::vector<float> values(1300);
  smooth.Compute(600, counts, values);
  EXPECT_EQ(values, alone) << "other counts are not believed";
  for (std::size_t i = 0; i < counts.size(); i += 3) counts[i] = 300;
  smooth.Compute(600, counts, values);
  for (std::size_t i = 0; i < counts.size(); ++i)
    EXPECT_EQ(values[i], i % 3 == 0 ? SmoothValues::kInside : alone[i]) << i;
  // 0 is the count of what escapes at once, too.
  fractal.never = NeverValue::kZero;
  std::ranges::fill(counts, 0);
  SmoothValues(fractal).Compute(600, counts, values);
  EXPECT_EQ(values, alone);
}

}  // namespace
}  // namespace procpool
