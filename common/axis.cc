#include "common/axis.h"

#include <algorithm>
#include <cstdint>

namespace procpool {
namespace {

constexpr std::size_t kCheckpointSpacing = 1024;

}  // namespace

AxisPoints::AxisPoints(const Axis& axis) : axis_(axis) {
  if (axis.rule != AxisRule::kRepeatedAddition) return;
  checkpoints_.reserve(axis.points / kCheckpointSpacing + 1);
  double value = axis.start;
  for (std::size_t i = 0; i < axis.points; ++i) {
    if (i % kCheckpointSpacing == 0) checkpoints_.push_back(value);
    value += axis.step;
  }
}

void AxisPoints::Fill(std::size_t first, std::span<double> out) const {
  if (out.empty()) return;
  switch (axis_.rule) {
    case AxisRule::kRepeatedAddition: {
      double value = checkpoints_[first / kCheckpointSpacing];
      for (std::size_t i = first % kCheckpointSpacing; i > 0; --i) value += axis_.step;
      for (double& coordinate : out) {
        coordinate = value;
        value += axis_.step;
      }
      return;
    }
    case AxisRule::kLinear:
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = axis_.start + static_cast<double>(first + i) * axis_.step;
      }
      return;
    case AxisRule::kCentred: {
      const auto middle = static_cast<std::int64_t>(axis_.points / 2);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const auto offset = static_cast<std::int64_t>(first + i) - middle;
        out[i] = axis_.start + static_cast<double>(offset) * axis_.step;
      }
      return;
    }
    case AxisRule::kArange: {
      // numpy takes the difference of its first two points, already rounded, for the step.
      const double delta = (axis_.start + axis_.step) - axis_.start;
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = axis_.start + static_cast<double>(first + i) * delta;
      }
      return;
    }
  }
}

double AxisPoints::At(std::size_t index) const {
  double value = 0;
  Fill(index, {&value, 1});
  return value;
}

std::span<const double> AxisStretch::From(const AxisPoints& axis, std::size_t index) {
  const std::size_t first = index / length_ * length_;
  if (values_.empty() || first != first_) {
    values_.resize(std::min(length_, axis.size() - first));
    axis.Fill(first, values_);
    first_ = first;
  }
  return std::span<const double>(values_).subspan(index - first);
}

}  // namespace procpool
