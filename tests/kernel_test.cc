// Every kernel of the build is held against `complex`, and `complex` against values worked out by
// hand.
#include "common/kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace procpool {
namespace {

constexpr unsigned kSeed = 300'1000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kDenormal = std::numeric_limits<double>::denorm_min();

struct Point {
  double z_re, z_im, c_re, c_im;
};

Points PointsOf(const std::vector<Point>& points) {
  constexpr std::size_t kStride = sizeof(Point) / sizeof(double);
  if (points.empty()) return {};
  return {{&points[0].z_re, kStride},
          {&points[0].z_im, kStride},
          {&points[0].c_re, kStride},
          {&points[0].c_im, kStride},
          points.size()};
}

std::vector<std::int32_t> Counts(const Kernel& kernel, const Fractal& fractal,
                                 const std::vector<Point>& points) {
  std::vector<std::int32_t> counts(points.size(), -7);
  kernel.compute(fractal, PointsOf(points), counts.data());
  return counts;
}

const Kernel& Reference() {
  return Kernels().front();
}

/// All of measure, when, test and never.
std::vector<Fractal> AllRules(double bailout, std::int32_t max_iterations) {
  std::vector<Fractal> rules;
  for (const Measure measure : {Measure::kAbs, Measure::kNorm}) {
    for (const EscapeWhen escape : {EscapeWhen::kNotBelow, EscapeWhen::kAbove}) {
      for (const TestPlace test : {TestPlace::kBeforeStep, TestPlace::kAfterStep}) {
        for (const NeverValue never :
             {NeverValue::kMaxIterations, NeverValue::kLastStep, NeverValue::kZero}) {
          Fractal fractal;
          fractal.bailout = bailout;
          fractal.measure = measure;
          fractal.escape = escape;
          fractal.test = test;
          fractal.never = never;
          fractal.max_iterations = max_iterations;
          rules.push_back(fractal);
        }
      }
    }
  }
  return rules;
}

std::string Describe(const Fractal& fractal) {
  std::ostringstream text;
  text.precision(17);
  text << (fractal.measure == Measure::kAbs ? "abs" : "norm")
       << (fractal.escape == EscapeWhen::kAbove ? " > " : " not < ") << fractal.bailout
       << (fractal.test == TestPlace::kBeforeStep ? " before" : " after") << " each of "
       << fractal.max_iterations << " steps, never " << fractal.NeverCount();
  return text.str();
}

std::vector<const Kernel*> ComputingKernels() {
  std::vector<const Kernel*> kernels;
  for (const Kernel& kernel : Kernels()) {
    if (kernel.name != "none") kernels.push_back(&kernel);
  }
  return kernels;
}

std::string KernelName(const testing::TestParamInfo<const Kernel*>& info) {
  std::string name(info.param->name);
  std::ranges::replace(name, ':', '_');
  return name;
}

class EachKernel : public testing::TestWithParam<const Kernel*> {
 protected:
  /// Point by point against the reference; reports the first that differs.
  static void ExpectAsReference(const Fractal& fractal, const std::vector<Point>& points) {
    const std::vector<std::int32_t> expected = Counts(Reference(), fractal, points);
    const std::vector<std::int32_t> got = Counts(*GetParam(), fractal, points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_EQ(got[i], expected[i])
          << std::hexfloat << "z = " << points[i].z_re << ", " << points[i].z_im
          << "; c = " << points[i].c_re << ", " << points[i].c_im << "; " << Describe(fractal);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Kernels, EachKernel, testing::ValuesIn(ComputingKernels()), KernelName);

struct HandCase {
  const char* what;
  Point point;
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
  const Point on_the_circle{2, 0, 0, 0};
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
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> unit(-1, 1);
  for (int trial = 0; trial < 30; ++trial) {
    const double window = std::exp2(4 * unit(random));
    const double reach =
        std::exp2(3 * unit(random));  // |c| up to 8: orbits that come back are met too
    const double bailout = trial % 5 == 0 ? kInfinity : std::exp2(1 + 2 * unit(random));
    std::vector<Point> points;
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
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
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
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  // On the real axis, for c a little below -2, an orbit may wander for long, leave the circle of
  // radius 2 by little, and be inside again after the next step.
  std::uniform_real_distribution<double> start(-1.99, 1.99);
  std::uniform_real_distribution<double> exponent(-5, -2);
  std::vector<Point> points;
  int come_back_late = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Point point{start(random), 0, -2 - std::pow(10, exponent(random)), 0};
    points.push_back(point);
    double z = point.z_re;
    int step = 0;
    for (; step < 300 && std::abs(z) <= 2; ++step) z = z * z + point.c_re;
    come_back_late += step > 40 && step < 300 && std::abs(z * z + point.c_re) < 2 ? 1 : 0;
  }
  EXPECT_GT(come_back_late, 100) << "the points do not test what they are for";
  for (const Fractal& fractal : AllRules(2, 300)) ExpectAsReference(fractal, points);
  // The same with one constant for all.
  for (Point& point : points) point.c_re = -2.0001;
  Points one = PointsOf(points);
  one.c_re = {&points[0].c_re};
  one.c_im = {&points[0].c_im};
  for (const Fractal& fractal : AllRules(2, 300)) {
    std::vector<std::int32_t> got(points.size(), -7);
    GetParam()->compute(fractal, one, got.data());
    ASSERT_EQ(got, Counts(Reference(), fractal, points)) << Describe(fractal);
  }
}

TEST_P(EachKernel, AgreesOnPointsRoundedFromTheCircle) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::vector<Point> points;
  int judged_differently = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double turn = angle(random);
    const Point point{2 * std::cos(turn), 2 * std::sin(turn), 0.25, 0};
    points.push_back(point);
    const double norm = point.z_re * point.z_re + point.z_im * point.z_im;
    judged_differently += (norm < 4) != (std::hypot(point.z_re, point.z_im) < 2) ? 1 : 0;
  }
  EXPECT_GT(judged_differently, 1000) << "the points do not test what they are for";
  for (const Fractal& fractal : AllRules(2, 1)) ExpectAsReference(fractal, points);
  for (const Fractal& fractal : AllRules(4, 1)) ExpectAsReference(fractal, points);
}

TEST_P(EachKernel, AgreesOnCirclesOfEverySize) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::uniform_real_distribution<double> exponent(-1074, 1023.9);
  std::vector<double> radii;
  radii.reserve(434);
  for (int i = 0; i < 400; ++i) radii.push_back(std::exp2(exponent(random)));
  // Where the square of the radius just overflows, and just loses bits.
  for (const double edge : {std::sqrt(DBL_MAX), std::sqrt(DBL_MIN)}) {
    for (int ulps = -8; ulps <= 8; ++ulps) radii.push_back(edge * (1 + ulps * DBL_EPSILON));
  }
  for (const double radius : radii) {
    std::vector<Point> points;
    points.reserve(200);
    for (int i = 0; i < 200; ++i) {
      const double turn = angle(random);
      points.push_back({radius * std::cos(turn), radius * std::sin(turn), 0, 0});
    }
    for (const Fractal& fractal : AllRules(radius, 2)) ExpectAsReference(fractal, points);
  }
}

// Points as they come in no picture: each 2^x far out for any x, with constants that allow steps
// without a test, or nearly do not. Neighbours are of all kinds, or of one kind.
TEST_P(EachKernel, AgreesOnPointsOfEveryMagnitude) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::uniform_real_distribution<double> any(-1074, 1023.9);
  std::uniform_real_distribution<double> near(-4, 4);
  const auto at = [&](double radius) {
    const double turn = angle(random);
    return std::pair(radius * std::cos(turn), radius * std::sin(turn));
  };
  for (const double bailout : {1.005, 1.02, 2.0, 4.0, 1e60, 1e99, 1e101, 1e160, kInfinity}) {
    std::vector<Point> points;
    for (int i = 0; i < 600; ++i) {
      const auto [re, im] = at(std::exp2(i % 200 < 100 ? near(random) : any(random)));
      const auto [c_re, c_im] = at(i % 50 < 40 ? 0.7 : std::exp2(near(random)));
      points.push_back({re, im, c_re, c_im});
    }
    for (const Fractal& fractal : AllRules(bailout, 70)) {
      ExpectAsReference(fractal, points);
      // The same with one constant for all.
      std::vector<Point> alike = points;
      for (Point& point : alike) std::tie(point.c_re, point.c_im) = std::pair(-0.5, 0.55);
      Points one = PointsOf(alike);
      one.c_re = {&alike[0].c_re};
      one.c_im = {&alike[0].c_im};
      std::vector<std::int32_t> got(alike.size(), -7);
      GetParam()->compute(fractal, one, got.data());
      ASSERT_EQ(got, Counts(Reference(), fractal, alike)) << Describe(fractal);
    }
  }
}

// Where escaping is to be not finite, steps that cannot lead there are not tested. So points from
// which it takes 0, 1, 2, … steps, with the largest constants for which that is done, and larger.
TEST_P(EachKernel, AgreesOnOrbitsThatAreSoonInfinite) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::uniform_real_distribution<double> log_of_exponent(-3, 10);
  for (const double reach : {0.0, 0.3, 2.0, 2.82, 2.84, 1e8, 1e151}) {
    std::vector<Point> points;
    for (int group = 0; group < 100; ++group) {
      const double radius = std::exp2(std::exp2(log_of_exponent(random)) - 1);
      const double turn = angle(random);
      // The points of a vector, and more, are equally far out.
      for (int i = 0; i < 37; ++i) {
        points.push_back({radius * std::cos(turn + i), radius * std::sin(turn + i),
                          reach * std::cos(turn), reach * std::sin(turn)});
      }
    }
    for (const std::int32_t limit : {1, 3, 9, 60}) {
      for (const Fractal& fractal : AllRules(kInfinity, limit)) ExpectAsReference(fractal, points);
    }
  }
}

TEST_P(EachKernel, AgreesOnExtremeNumbers) {
  std::vector<double> extremes{kNan};
  for (const double size : {0.0, kDenormal, DBL_MIN, 1e-160, 1e-154, 0.5, 1.0, 2.0, 1e153, 1.3e154,
                            1.35e154, 1e160, 1e300, DBL_MAX, kInfinity}) {
    extremes.push_back(size);
    extremes.push_back(-size);
  }
  std::vector<Point> points;
  for (const double re : extremes) {
    for (const double im : extremes) {
      for (const double c_re : {0.0, -1.0, 3.0, 1e308, kDenormal}) {
        for (const double c_im : {0.0, 0.5, -1e308}) points.push_back({re, im, c_re, c_im});
      }
    }
  }
  for (const double bailout : {kDenormal, 1e-300, 1e-154, 2.0, 4.0, 1e154, 1.34e154, 1.35e154,
                               1e300, DBL_MAX, kInfinity, 0.0, -1.0, kNan}) {
    for (const Fractal& fractal : AllRules(bailout, 12)) ExpectAsReference(fractal, points);
  }
}

TEST_P(EachKernel, TakesAnyNumberOfPointsAndWritesNoMore) {
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> unit(-2, 2);
  std::vector<Point> points;
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
  RecordProperty("seed", kSeed);
  std::mt19937_64 random(kSeed);
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
        std::vector<Point> points;
        for (std::uint32_t row = 0; row < kHeight; ++row) {
          double column_value = along.start;
          for (std::uint32_t column = 0; column < width; ++column, column_value += along.step) {
            const double row_value = down.start + row * down.step;
            const double re = rows_are_real != 0 ? row_value : column_value;
            const double im = rows_are_real != 0 ? column_value : row_value;
            points.push_back(pixel == PixelRole::kZ
                                 ? Point{re, im, fractal.constant_re, fractal.constant_im}
                                 : Point{0, 0, re, im});
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
  const std::vector<Point> points(100, Point{0, 0, 0, 0});
  const std::vector<std::int32_t> counts = Counts(*FindKernel("none"), AllRules(2, 9)[0], points);
  EXPECT_EQ(counts, std::vector<std::int32_t>(100, 0));
}

}  // namespace
}  // namespace procpool
