// Every kernel of the build is held against `complex`, and `complex` against values worked out by
// hand.
#include "common/kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/kernel_fixture.h"

namespace procpool {
namespace {

INSTANTIATE_TEST_SUITE_P(Kernels, EachKernel, testing::ValuesIn(ComputingKernels()), KernelName);

struct HandCase {
  const char* what;
  OrbitStart point;
  Measure measure;
  double bailout;
  EscapeWhen escape;
  TestPlace test;
  std::int32_t count;
};

TEST_P(EachKernel, CountsAsWorkedOutByHand) {
  constexpr auto kAbs = Measure::kAbs;
  constexpr auto kNorm = Measure::kNorm;
  constexpr auto kNotBelow = EscapeWhen::kNotBelow;
  constexpr auto kAbove = EscapeWhen::kAbove;
  constexpr auto kBefore = TestPlace::kBeforeStep;
  constexpr auto kAfter = TestPlace::kAfterStep;
  const OrbitStart on_the_circle{2, 0, 0, 0};
  const HandCase cases[] = {
      {"1.5 -> 2.25", {1.5, 0, 0, 0}, kAbs, 2, kNotBelow, kBefore, 1},
      {"1.5 -> 2.25", {1.5, 0, 0, 0}, kAbs, 2, kNotBelow, kAfter, 0},
      {"2 is not below 2", on_the_circle, kAbs, 2, kNotBelow, kBefore, 0},
      {"2 is not above 2", on_the_circle, kAbs, 2, kAbove, kBefore, 1},
      {"4 is not below 4", on_the_circle, kNorm, 4, kNotBelow, kBefore, 0},
      {"4 is not above 4", on_the_circle, kNorm, 4, kAbove, kBefore, 1},
      {"0 -> 2 -> 6", {0, 0, 2, 0}, kAbs, 2, kNotBelow, kAfter, 0},
      {"0 -> 2 -> 6", {0, 0, 2, 0}, kAbs, 2, kAbove, kAfter, 1},
      {"0 -> i -> -1+i -> -i -> -1+i", {0, 0, 0, 1}, kAbs, 2, kAbove, kAfter, 10},
      {"0 -> 1+i -> 1+3i", {0, 0, 1, 1}, kNorm, 4, kAbove, kAfter, 1},
      {"|c| > 2", {0, 0, 3, 0}, kAbs, 2, kAbove, kAfter, 0},
      {"back inside: -2.5 -> 0.25", {-2.5, 0, -6, 0}, kAbs, 2, kAbove, kAfter, 1},
      {"NaN is not below", {kNan, 0, 0, 0}, kAbs, 2, kNotBelow, kBefore, 0},
      {"NaN is not above", {kNan, 0, 0, 0}, kAbs, 2, kAbove, kBefore, 10},
      {"1e200 -> inf", {1e200, 0, 0, 0}, kAbs, kInfinity, kNotBelow, kBefore, 1},
      {"inf is not above inf", {1e200, 0, 0, 0}, kAbs, kInfinity, kAbove, kBefore, 10},
      {"finite, its norm is not", {1e160, 0, 0, 0}, kAbs, 1e161, kNotBelow, kBefore, 1},
      {"(inf, NaN) is as far as inf", {kInfinity, kNan, 0, 0}, kAbs, 2, kAbove, kBefore, 0},
      {"(inf, NaN) squared is NaN", {kInfinity, kNan, 0, 0}, kAbs, 2, kAbove, kAfter, 10},
  };
  for (const HandCase& hand : cases) {
    Fractal fractal;
    fractal.measure = hand.measure;
    fractal.bailout = hand.bailout;
    fractal.escape = hand.escape;
    fractal.test = hand.test;
    fractal.max_iterations = 10;
    EXPECT_EQ(Counts(*GetParam(), fractal, {hand.point}).front(), hand.count)
        << hand.what << "; " << Describe(fractal);
  }
}

TEST_P(EachKernel, PointsThatNeverEscapeCountWhatTheWorkloadSays) {
  for (const Fractal& fractal : AllRules(2, 17)) {
    const std::int32_t expected = fractal.never == NeverValue::kZero       ? 0
                                  : fractal.never == NeverValue::kLastStep ? 16
                                                                           : 17;
    EXPECT_EQ(Counts(*GetParam(), fractal, {{0, 0, 0, 0}}).front(), expected) << Describe(fractal);
  }
}

TEST_P(EachKernel, AgreesOnRandomWindowsConstantsAndLimits) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int trial = 0; trial < 30; ++trial) {
    const double window = std::exp2(4 * unit(random));
    const double reach =
        std::exp2(3 * unit(random));  // |c| up to 8: orbits that come back are met too
    const double bailout = trial % 5 == 0 ? kInfinity : std::exp2(1 + 2 * unit(random));
    std::vector<OrbitStart> points;
    points.reserve(300);
    for (int i = 0; i < 300; ++i) {
      points.push_back({window * unit(random), window * unit(random), reach * unit(random),
                        reach * unit(random)});
    }
    const auto limit = static_cast<std::int32_t>(1 + random() % 200);
    for (const Fractal& fractal : AllRules(bailout, limit)) ExpectAsReference(fractal, points);
  }
}

/// Any window, from one that is all outside to a small one at the edge of the set.
Fractal RandomGrid(std::mt19937_64& random) {
  std::uniform_real_distribution<double> unit(-1, 1);
  Fractal fractal;
  const auto points = [&] { return static_cast<std::uint32_t>(1 + random() % 97); };
  const double extent = std::exp2(-6 + 8 * std::abs(unit(random)));
  const auto axis = [&](std::uint32_t size, double center) {
    return Axis{AxisRule::kLinear, size, center - extent / 2, extent / size};
  };
  fractal.pixel = random() % 2 == 0 ? PixelRole::kZ : PixelRole::kC;
  fractal.rows_are_real = random() % 2;
  const bool julia = fractal.pixel == PixelRole::kZ;
  fractal.real = axis(points(), julia ? unit(random) : -0.75 + 0.3 * unit(random));
  fractal.imaginary = axis(points(), julia ? unit(random) : 0.3 * unit(random));
  // Julia constants near the boundary of the Mandelbrot set; now and then one beyond the bailout.
  const double reach = random() % 8 == 0 ? 4 : 1;
  fractal.constant_re = julia ? reach * (-0.7 + 0.2 * unit(random)) : 0;
  fractal.constant_im = julia ? reach * (0.3 + 0.2 * unit(random)) : 0;
  const double bailouts[] = {2, 2, 4, 1.5, 100, 1e60, 1e170, kInfinity};
  fractal.bailout = bailouts[random() % std::size(bailouts)];
  fractal.measure = random() % 2 == 0 ? Measure::kAbs : Measure::kNorm;
  fractal.escape = random() % 2 == 0 ? EscapeWhen::kNotBelow : EscapeWhen::kAbove;
  fractal.test = random() % 2 == 0 ? TestPlace::kBeforeStep : TestPlace::kAfterStep;
  fractal.never = NeverValue(random() % 3);
  const std::int32_t limits[] = {1, 7, 8, 31, 32, 33, 57, 300, 1024, 3000};
  fractal.max_iterations = limits[random() % std::size(limits)];
  return fractal;
}

TEST_P(EachKernel, AgreesOnGridsOfLongOrbits) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  for (int trial = 0; trial < 150; ++trial) {
    const Fractal fractal = RandomGrid(random);
    std::vector<std::int32_t> expected(std::size_t{fractal.Width()} * fractal.Height());
    std::vector<std::int32_t> got(expected.size(), -7);
    RowsComputer(fractal, Reference()).Compute(0, expected);
    RowsComputer(fractal, *GetParam()).Compute(0, got);
    const auto differs = std::ranges::mismatch(expected, got).in1;
    ASSERT_EQ(differs, expected.end())
        << "trial " << trial << ", point " << differs - expected.begin() << " of "
        << fractal.Width() << " x " << fractal.Height() << ", " << Describe(fractal);
  }
}

TEST_P(EachKernel, AgreesOnOrbitsThatComeBackAfterManySteps) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  // On the real axis, for c a little below -2, an orbit may wander for long, leave the circle of
  // radius 2 by little, and be inside again after the next step.
  std::uniform_real_distribution<double> start(-1.99, 1.99);
  std::uniform_real_distribution<double> exponent(-5, -2);
  std::vector<OrbitStart> points;
  int come_back_late = 0;
  for (int i = 0; i < 10'000; ++i) {
    const OrbitStart point{start(random), 0, -2 - std::pow(10, exponent(random)), 0};
    points.push_back(point);
    double z = point.z_re;
    int step = 0;
    for (; step < 300 && std::abs(z) <= 2; ++step) z = z * z + point.c_re;
    come_back_late += step > 40 && step < 300 && std::abs(z * z + point.c_re) < 2 ? 1 : 0;
  }
  EXPECT_GT(come_back_late, 100) << "the points do not test what they are for";
  for (const Fractal& fractal : AllRules(2, 300)) ExpectAsReference(fractal, points);
  // The same with one constant for all.
  for (OrbitStart& point : points) point.c_re = -2.0001;
  Points one = PointsOf(points);
  one.c_re = {&points[0].c_re};
  one.c_im = {&points[0].c_im};
  for (const Fractal& fractal : AllRules(2, 300)) {
    std::vector<std::int32_t> got(points.size(), -7);
    GetParam()->compute(fractal, one, got.data());
    ASSERT_EQ(got, Counts(Reference(), fractal, points)) << Describe(fractal);
  }
}

TEST_P(EachKernel, TakesAnyNumberOfPointsAndWritesNoMore) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> unit(-2, 2);
  std::vector<OrbitStart> points;
  points.reserve(130);
  for (int i = 0; i < 130; ++i) points.push_back({unit(random), unit(random), -0.6, 0.4});
  const Fractal fractal = AllRules(2, 100).front();
  const std::vector<std::int32_t> all = Counts(Reference(), fractal, points);
  for (std::size_t count = 0; count <= points.size(); ++count) {
    std::vector<std::int32_t> counts(points.size() + 1, -7);
    Points some = PointsOf(points);
    some.columns = count;
    GetParam()->compute(fractal, some, counts.data());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      ASSERT_EQ(counts[i], i < count ? all[i] : -7) << "point " << i << " of " << count;
    }
  }
}

TEST_P(EachKernel, RowFormAndCoordsFormGiveTheSame) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  for (const std::uint32_t width : {1U, 63U, 4095U, 4096U, 4097U, 8193U}) {
    for (const PixelRole pixel : {PixelRole::kZ, PixelRole::kC}) {
      for (const std::uint32_t rows_are_real : {0U, 1U}) {
        constexpr std::uint32_t kHeight = 3;
        Fractal fractal = AllRules(2, 50).front();
        fractal.pixel = pixel;
        fractal.constant_re = pixel == PixelRole::kZ ? -0.6 : 0;
        fractal.constant_im = pixel == PixelRole::kZ ? 0.4 : 0;
        fractal.rows_are_real = rows_are_real;
        const Axis along{AxisRule::kRepeatedAddition, width, -1.8, 3.6 / width};
        const Axis down{AxisRule::kLinear, kHeight, -1, 0.7};
        fractal.real = rows_are_real != 0 ? down : along;
        fractal.imaginary = rows_are_real != 0 ? along : down;
        ASSERT_EQ(fractal.Width(), width);

        // Each point on its own, from coordinates that nothing keeps.
        std::vector<OrbitStart> points;
        for (std::uint32_t row = 0; row < kHeight; ++row) {
          double column_value = along.start;
          for (std::uint32_t column = 0; column < width; ++column, column_value += along.step) {
            const double row_value = down.start + row * down.step;
            const double re = rows_are_real != 0 ? row_value : column_value;
            const double im = rows_are_real != 0 ? column_value : row_value;
            points.push_back(pixel == PixelRole::kZ
                                 ? OrbitStart{re, im, fractal.constant_re, fractal.constant_im}
                                 : OrbitStart{0, 0, re, im});
          }
        }
        const std::vector<std::int32_t> expected = Counts(Reference(), fractal, points);

        RowsComputer computer(fractal, *GetParam());
        std::vector<std::int32_t> whole(points.size(), -7);
        computer.Compute(0, whole);
        ASSERT_EQ(whole, expected) << "width " << width;

        const AxisPoints row_axis(fractal.RowAxis());
        const AxisPoints column_axis(fractal.ColumnAxis());
        for (int trial = 0; trial < 20; ++trial) {
          const std::size_t first = random() % points.size();
          const std::size_t count = random() % (points.size() - first + 1);
          std::vector<std::int32_t> rows(count, -7);
          computer.Compute(first, rows);
          std::vector<double> z(2 * count);
          std::vector<double> c(2 * count);
          FillCoords(fractal, row_axis, column_axis, first, count, z.data(), c.data());
          std::vector<std::int32_t> coords(count, -7);
          GetParam()->compute(
              fractal, {{z.data(), 2}, {z.data() + 1, 2}, {c.data(), 2}, {c.data() + 1, 2}, count},
              coords.data());
          ASSERT_EQ(rows, coords);
          ASSERT_TRUE(
              std::equal(rows.begin(), rows.end(), expected.begin() + static_cast<long>(first)))
              << count << " points from " << first << ", width " << width;
          for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(z[2 * i], points[first + i].z_re);
            ASSERT_EQ(z[2 * i + 1], points[first + i].z_im);
            ASSERT_EQ(c[2 * i], points[first + i].c_re);
            ASSERT_EQ(c[2 * i + 1], points[first + i].c_im);
          }
        }
      }
    }
  }
}

TEST(Kernels, AreFoundByName) {
  ASSERT_NE(FindKernel("complex"), nullptr);
  EXPECT_EQ(Reference().name, "complex");
  for (const Kernel& kernel : Kernels()) {
    ASSERT_NE(FindKernel(kernel.name), nullptr);
    EXPECT_EQ(FindKernel(kernel.name)->compute, kernel.compute);
    EXPECT_FALSE(kernel.description.empty());
    EXPECT_NE(KernelNames().find(kernel.name), std::string::npos);
  }
  EXPECT_EQ(FindKernel("fastest"), nullptr);
  EXPECT_EQ(FindKernel(""), nullptr);
}

TEST(Kernels, AutoComputes) {
  ASSERT_NE(FindKernel("auto"), nullptr);
  EXPECT_NE(FindKernel("auto")->name, "none");
  EXPECT_EQ(KernelNames().substr(0, 5), "auto,");
}

TEST(Kernels, NoneWritesZeros) {
  const std::vector<OrbitStart> points(100, OrbitStart{0, 0, 0, 0});
  const std::vector<std::int32_t> counts = Counts(*FindKernel("none"), AllRules(2, 9)[0], points);
  EXPECT_EQ(counts, std::vector<std::int32_t>(100, 0));
}

}  // namespace
}  // namespace procpool
