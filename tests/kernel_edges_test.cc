// Every kernel against the reference on points that no picture shows: on the circle of the bailout,
// at the ends of the range of numbers, on their way to infinity.
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "common/kernel.h"
#include "tests/kernel_fixture.h"

namespace procpool {
namespace {

class EachKernelAtTheEdge : public EachKernel {};

INSTANTIATE_TEST_SUITE_P(Kernels, EachKernelAtTheEdge, testing::ValuesIn(ComputingKernels()),
                         KernelName);

TEST_P(EachKernelAtTheEdge, AgreesOnPointsRoundedFromTheCircle) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::vector<OrbitStart> points;
  int judged_differently = 0;
  for (int i = 0; i < 20'000; ++i) {
    const double turn = angle(random);
    const OrbitStart point{2 * std::cos(turn), 2 * std::sin(turn), 0.25, 0};
    points.push_back(point);
    const double norm = point.z_re * point.z_re + point.z_im * point.z_im;
    judged_differently += (norm < 4) != (std::hypot(point.z_re, point.z_im) < 2) ? 1 : 0;
  }
  EXPECT_GT(judged_differently, 1000) << "the points do not test what they are for";
  for (const Fractal& fractal : AllRules(2, 1)) ExpectAsReference(fractal, points);
  for (const Fractal& fractal : AllRules(4, 1)) ExpectAsReference(fractal, points);
}

TEST_P(EachKernelAtTheEdge, AgreesOnCirclesOfEverySize) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
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
    std::vector<OrbitStart> points;
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
TEST_P(EachKernelAtTheEdge, AgreesOnPointsOfEveryMagnitude) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::uniform_real_distribution<double> any(-1074, 1023.9);
  std::uniform_real_distribution<double> near(-4, 4);
  const auto at = [&](double radius) {
    const double turn = angle(random);
    return std::pair(radius * std::cos(turn), radius * std::sin(turn));
  };
  for (const double bailout : {1.005, 1.02, 2.0, 4.0, 1e60, 1e99, 1e101, 1e160, kInfinity}) {
    std::vector<OrbitStart> points;
    for (int i = 0; i < 600; ++i) {
      const auto [re, im] = at(std::exp2(i % 200 < 100 ? near(random) : any(random)));
      const auto [c_re, c_im] = at(i % 50 < 40 ? 0.7 : std::exp2(near(random)));
      points.push_back({re, im, c_re, c_im});
    }
    for (const Fractal& fractal : AllRules(bailout, 70)) {
      ExpectAsReference(fractal, points);
      // The same with one constant for all.
      std::vector<OrbitStart> alike = points;
      for (OrbitStart& point : alike) std::tie(point.c_re, point.c_im) = std::pair(-0.5, 0.55);
      Points one = PointsOf(alike);
      one.c_re = {&alike[0].c_re};
      one.c_im = {&alike[0].c_im};
      std::vector<std::int32_t> got(alike.size(), -7);
      GetParam()->compute(fractal, one, got.data());
      ASSERT_EQ(got, Counts(Reference(), fractal, alike)) << Describe(fractal);
    }
  }
}

// On the real axis the imaginary part is 0 for ever, and a little beyond 1/4 an orbit creeps
// through the gap for pi / sqrt(c - 1/4) steps: nothing of it may be taken for one that goes round.
// Others there do go round.
TEST_P(EachKernelAtTheEdge, AgreesOnOrbitsThatEscapeLateOrGoRound) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> exponent(-7, -1);
  std::uniform_real_distribution<double> inside(-2, 0.25);
  std::vector<OrbitStart> points;
  for (int i = 0; i < 1000; ++i) {
    const bool creeps = i % 4 != 0;
    const double c = creeps ? 0.25 + std::pow(10, exponent(random)) : inside(random);
    points.push_back({0, 0, c, 0});
  }
  for (const double bailout : {2.0, kInfinity}) {
    for (const Fractal& fractal : AllRules(bailout, 3000)) ExpectAsReference(fractal, points);
  }
}

// Where escaping is to be not finite, steps that cannot lead there are not tested. So points from
// which it takes 0, 1, 2, … steps, with the largest constants for which that is done, and larger.
TEST_P(EachKernelAtTheEdge, AgreesOnOrbitsThatAreSoonInfinite) {
  RecordProperty("seed", kKernelSeed);
  std::mt19937_64 random(kKernelSeed);
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  std::uniform_real_distribution<double> log_of_exponent(-3, 10);
  for (const double reach : {0.0, 0.3, 2.0, 2.82, 2.84, 1e8, 1e151}) {
    std::vector<OrbitStart> points;
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

TEST_P(EachKernelAtTheEdge, AgreesOnExtremeNumbers) {
  std::vector<double> extremes{kNan};
  for (const double size : {0.0, kDenormal, DBL_MIN, 1e-160, 1e-154, 0.5, 1.0, 2.0, 1e153, 1.3e154,
                            1.35e154, 1e160, 1e300, DBL_MAX, kInfinity}) {
    extremes.push_back(size);
    extremes.push_back(-size);
  }
  std::vector<OrbitStart> points;
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

}  // namespace
}  // namespace procpool
