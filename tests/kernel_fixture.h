// What the tests of kernels share: points, rules, and a comparison with the reference point by
// point.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "common/kernel.h"

namespace procpool {

inline constexpr unsigned kKernelSeed = 300'1000;
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kDenormal = std::numeric_limits<double>::denorm_min();

struct OrbitStart {
  double z_re, z_im, c_re, c_im;
};

inline Points PointsOf(const std::vector<OrbitStart>& points) {
  constexpr std::size_t kStride = sizeof(OrbitStart) / sizeof(double);
  if (points.empty()) return {};
  return {{&points[0].z_re, kStride},
          {&points[0].z_im, kStride},
          {&points[0].c_re, kStride},
          {&points[0].c_im, kStride},
          points.size()};
}

inline std::vector<std::int32_t> Counts(const Kernel& kernel, const Fractal& fractal,
                                        const std::vector<OrbitStart>& points) {
  std::vector<std::int32_t> counts(points.size(), -7);
  kernel.compute(fractal, PointsOf(points), counts.data());
  return counts;
}

inline const Kernel& Reference() {
  return Kernels().front();
}

/// All of measure, when, test and never.
inline std::vector<Fractal> AllRules(double bailout, std::int32_t max_iterations) {
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

inline std::string Describe(const Fractal& fractal) {
  std::ostringstream text;
  text.precision(17);
  text << (fractal.measure == Measure::kAbs ? "abs" : "norm")
       << (fractal.escape == EscapeWhen::kAbove ? " > " : " not < ") << fractal.bailout
       << (fractal.test == TestPlace::kBeforeStep ? " before" : " after") << " each of "
       << fractal.max_iterations << " steps, never " << fractal.NeverCount();
  return text.str();
}

inline std::vector<const Kernel*> ComputingKernels() {
  std::vector<const Kernel*> kernels;
  for (const Kernel& kernel : Kernels()) {
    if (kernel.name != "none") kernels.push_back(&kernel);
  }
  return kernels;
}

inline std::string KernelName(const testing::TestParamInfo<const Kernel*>& info) {
  std::string name(info.param->name);
  std::ranges::replace(name, ':', '_');
  return name;
}

class EachKernel : public testing::TestWithParam<const Kernel*> {
 protected:
  /// Point by point against the reference; reports the first that differs.
  static void ExpectAsReference(const Fractal& fractal, const std::vector<OrbitStart>& points) {
    const std::vector<std::int32_t> expected = Counts(Reference(), fractal, points);
    const std::vector<std::int32_t> got = Counts(*GetParam(), fractal, points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_EQ(got[i], expected[i])
          << std::hexfloat << "z = " << points[i].z_re << ", " << points[i].z_im
          << "; c = " << points[i].c_re << ", " << points[i].c_im << "; " << Describe(fractal);
    }
  }
};

}  // namespace procpool
