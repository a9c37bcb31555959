#include "master/smooth_values.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace procpool {
namespace {

constexpr double kLeastRadius = 256;
/// So large that a larger one would make |z_n|^2 infinite.
constexpr double kMostRadius = 1e60;
constexpr std::int32_t kStepsToRadius = 8;
/// Points at a time: what is kept for them stays in the first cache.
constexpr std::size_t kStretch = 512;

double MostOf(const Axis& axis, const AxisPoints& points) {
  if (axis.points == 0) return 0;
  return std::max(std::abs(points.At(0)), std::abs(points.At(axis.points - 1)));
}

double RadiusFor(const Fractal& fractal) {
  const bool pixel_is_c = fractal.pixel == PixelRole::kC;
  const double re =
      pixel_is_c ? MostOf(fractal.real, AxisPoints(fractal.real)) : std::abs(fractal.constant_re);
  const double im = pixel_is_c ? MostOf(fractal.imaginary, AxisPoints(fractal.imaginary))
                               : std::abs(fractal.constant_im);
  const double radius = kLeastRadius / 2 * std::sqrt(std::hypot(re, im));
  return std::isfinite(radius) ? std::clamp(radius, kLeastRadius, kMostRadius) : kMostRadius;
}

// A test before each step finds the first z beyond R, the start included.
Fractal EscapingAt(double radius, Fractal fractal) {
  fractal.bailout = radius * radius;
  fractal.measure = Measure::kNorm;
  fractal.escape = EscapeWhen::kNotBelow;
  fractal.test = TestPlace::kBeforeStep;
  fractal.never = NeverValue::kMaxIterations;
  const std::int32_t room = std::numeric_limits<std::int32_t>::max() - fractal.max_iterations;
  fractal.max_iterations += std::min(kStepsToRadius, room);
  return fractal;
}

// The norm after so many steps. What follows a start that is not finite stays so.
double NormAfter(std::int32_t steps, double re, double im, double c_re, double c_im) {
  for (std::int32_t step = 0; step < steps; ++step) {
    const double product = re * im;
    re = (re * re - im * im) + c_re;
    im = (product + product) + c_im;
  }
  return re * re + im * im;
}

}  // namespace

SmoothValues::SmoothValues(const Fractal& fractal)
    : fractal_(fractal),
      radius_(RadiusFor(fractal)),
      escaping_(EscapingAt(radius_, fractal)),
      row_axis_(fractal.RowAxis()),
      column_axis_(fractal.ColumnAxis()),
      kernel_(*FindKernel("auto")) {}

bool SmoothValues::IsInside(std::int32_t count) const {
  return count == fractal_.NeverCount() && fractal_.never != NeverValue::kZero;
}

void SmoothValues::Compute(std::uint32_t row, std::span<const std::int32_t> counts,
                           std::span<float> values) const {
  const double row_coordinate = row_axis_.At(row);
  std::array<double, kStretch> columns;      // NOLINT: what is used of them is filled first
  std::array<std::size_t, kStretch> places;  // NOLINT
  std::array<float, kStretch> outside;       // NOLINT
  for (std::size_t first = 0; first < values.size(); first += kStretch) {
    const std::span part = values.subspan(first, std::min(kStretch, values.size() - first));
    column_axis_.Fill(first, std::span(columns).first(part.size()));
    // Only those that may lie outside are computed; they move together.
    std::size_t candidates = 0;
    for (std::size_t i = 0; i < part.size(); ++i) {
      part[i] = kInside;
      if (!counts.empty() && IsInside(counts[first + i])) continue;
      columns[candidates] = columns[i];
      places[candidates++] = i;
    }
    ValuesAt(row_coordinate, std::span(columns).first(candidates),
             std::span(outside).first(candidates));
    for (std::size_t i = 0; i < candidates; ++i) part[places[i]] = outside[i];
  }
}

void SmoothValues::ValuesAt(double row, std::span<const double> columns,
                            std::span<float> values) const {
  const Operand across{&row};
  const Operand along{columns.data(), 1};
  const Operand& re = escaping_.rows_are_real != 0 ? across : along;
  const Operand& im = escaping_.rows_are_real != 0 ? along : across;
  const Operand constant_re{&escaping_.constant_re};
  const Operand constant_im{&escaping_.constant_im};
  const Points points = escaping_.pixel == PixelRole::kZ
                            ? Points{re, im, constant_re, constant_im, columns.size()}
                            : Points{constant_re, constant_im, re, im, columns.size()};
  std::array<std::int32_t, kStretch> steps;  // NOLINT: the kernel fills it
  kernel_.compute(escaping_, points, steps.data());
  const auto log_radius = static_cast<float>(std::log2(radius_));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (steps[i] == escaping_.max_iterations) {
      values[i] = kInside;
      continue;
    }
    const double norm = NormAfter(steps[i], points.z_re.At(0, i), points.z_im.At(0, i),
                                  points.c_re.At(0, i), points.c_im.At(0, i));
    // log2|z| is half of log2 of the norm; the ratio of two logarithms does not know their base.
    const float doublings = std::log2(static_cast<float>(0.5 * std::log2(norm)) / log_radius);
    const auto whole = static_cast<float>(steps[i]);
    // A start so far out that its norm is none has left before every other point.
    values[i] = std::isfinite(doublings) ? whole + 1 - doublings : -static_cast<float>(1 << 10);
  }
}

}  // namespace procpool
