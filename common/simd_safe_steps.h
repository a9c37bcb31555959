// How many steps an orbit can make before it may not be finite any more: the part of the kernel
// `simd` (kernel_simd.h) for workloads where that is what escaping means. Those steps need no test.
//
// With s = |re| + |im| before a step, |re'| + |im'| <= s*s + |c.re| + |c.im| after it.
//
// Included like kernel_simd.h.
#pragma once

#include <cstdint>

#include "common/simd_lanes.h"

namespace procpool {
namespace {

template <class L>
class SafeSteps {
  using Real = typename L::Real;
  using Mask = typename L::Mask;
  static constexpr std::int32_t kMost = 12;
  static constexpr double kFarFromInfinity = 1e150;
  static constexpr double kRounding = 1 - 0x1p-20;

 public:
  /// No step is safe.
  SafeSteps() = default;
  /// For |c.re| + |c.im| <= constant, and `most` steps at most.
  SafeSteps(double constant, std::int32_t most) {
    double limit = kFarFromInfinity;
    while (most_ < kMost && most_ < most && limit > constant) {
      limit = __builtin_sqrt(limit - constant) * kRounding;
      limits_[++most_] = limit;
    }
  }

  /// How many steps are safe in every lane, where `sums` are |re| + |im|. NaN is not safe.
  template <int kSize>
  [[gnu::always_inline]] std::int32_t For(const Real (&sums)[kSize]) const {  // NOLINT: registers
    std::int32_t steps = most_;
    for (; steps > 0; --steps) {
      Mask below(true);
#pragma GCC unroll 8
      for (int v = 0; v < kSize; ++v) below = below & (sums[v] <= Real(limits_[steps]));
      if (L::Bits(below) == (1U << L::kCount) - 1) break;
    }
    return steps;
  }

 private:
  double limits_[kMost + 1] = {};  // NOLINT: of the sum, for so many steps
  std::int32_t most_ = 0;
};

}  // namespace
}  // namespace procpool
