// The coordinates of one axis, any stretch of it, without holding all of it.
//
// Promise: Fill gives bit for bit what the rule of fractal.h says, whatever stretches are asked for
// and in whatever order. Memory: one double per 1024 points for kRepeatedAddition (its points can
// only be reached one after the other, so the constructor walks the axis once, about 1.5 ns a
// point, and keeps every 1024th), nothing for the others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/fractal.h"

namespace procpool {

class AxisPoints {
 public:
  explicit AxisPoints(const Axis& axis);

  /// Writes the coordinates of points first, first + 1, … into `out`. first + out.size() <=
  /// axis.points.
  void Fill(std::size_t first, std::span<double> out) const;
  /// One coordinate.
  double At(std::size_t index) const;
  std::size_t size() const { return axis_.points; }

 private:
  Axis axis_;
  std::vector<double> checkpoints_;
};

/// The stretch of an axis last asked for, kept: walking a grid row by row then computes a
/// coordinate about once, not once a row. Stretches begin at multiples of `length`, so memory is
/// fixed however wide the grid is.
class AxisStretch {
 public:
  explicit AxisStretch(std::size_t length) : length_(length) {}

  /// The coordinates of points index, index + 1, … to the end of the stretch that index lies in; at
  /// least one. Valid until the next call. Each AxisStretch is for one axis: `axis` must be the
  /// same every time.
  std::span<const double> From(const AxisPoints& axis, std::size_t index);

 private:
  std::size_t length_;
  std::size_t first_ = 0;
  std::vector<double> values_;
};

}  // namespace procpool
