// A value for each point that grows without steps where the counts have them: how long its orbit
// takes to escape, in steps and parts of a step.
//
//   nu = n + 1 - log2(ln|z_n| / ln R),   n the first index with |z_n| >= R
//
// after L. Vepstas, "Renormalizing the Mandelbrot Escape" (1997): far out a step squares |z|, so a
// point that escapes one step later than its neighbour has the logarithm of R where that one has
// twice as much, and both have the same nu. The larger R, the smaller the error of "squares", which
// is about |c| / R^2: R is 256, or 128 * sqrt|c| where the window has larger c, so the jumps
// between bands are below 1e-5 steps.
//
// What is followed is the orbit of z*z + c from the fractal's own start, whatever the workload's
// bailout (which may be below 2, where points escape by the count that never do, or infinite) and
// whatever its test. A point lies inside where
//
//   - its count is that of a point that never escapes; under NeverValue::kZero, where that is also
//     the count of points that escape at once, the orbit alone decides
//   - or |z| stays below R for max_iterations + 8 steps; a point that escapes by the count with a
//     bailout of 2 or more has left by then, unless it left with |z| hardly above 2
//
// n comes from the fastest kernel, which is told R as the bailout and gives no z; so the orbit is
// walked again up to z_n, without a test. Pure, and for several threads at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "common/axis.h"
#include "common/fractal.h"
#include "common/kernel.h"

namespace procpool {

class SmoothValues {
 public:
  /// Of a point inside.
  static constexpr float kInside = std::numeric_limits<float>::infinity();

  explicit SmoothValues(const Fractal& fractal);

  /// The values of a row of the grid, finite or kInside. counts: of the row, or empty, where the
  /// orbits alone decide. values.size() == width.
  void Compute(std::uint32_t row, std::span<const std::int32_t> counts,
               std::span<float> values) const;

  double radius() const { return radius_; }

 private:
  bool IsInside(std::int32_t count) const;
  void ValuesAt(double row, std::span<const double> columns, std::span<float> values) const;

  Fractal fractal_;
  double radius_;
  Fractal escaping_;  // with R as its bailout
  AxisPoints row_axis_;
  AxisPoints column_axis_;
  Kernel kernel_;
};

}  // namespace procpool
