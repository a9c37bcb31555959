// Points on their way, lane by lane, from where a batch takes them: for any instruction set of
// simd_lanes.h, a part of the kernel `simd` (kernel_simd.h).
//
// Included like kernel_simd.h.
#pragma once

#include <cstdint>

#include "common/simd_lanes.h"

namespace procpool {
namespace {

/// At most kSize points, the newest last; all have done the same number of steps. Where there is
/// one constant for all, points do not carry theirs.
template <class L, int kSize, bool kOneConstant>
struct PointQueue {
  using Real = typename L::Real;
  // A vector that is pushed may write up to its length.
  static constexpr int kConstants = kOneConstant ? L::kCount : kSize + L::kCount;
  alignas(64) double re[kSize + L::kCount];            // NOLINT: as vectors are loaded
  alignas(64) double im[kSize + L::kCount];            // NOLINT
  alignas(64) double c_re[kConstants];                 // NOLINT
  alignas(64) double c_im[kConstants];                 // NOLINT
  alignas(64) std::uint32_t index[kSize + L::kCount];  // NOLINT: of its count
  int size = 0;

  /// The lanes of `bits`.
  void Push(unsigned bits, Real at_re, Real at_im, Real at_c_re, Real at_c_im,
            typename L::Index points) {
    L::Pack(re + size, bits, at_re);
    L::Pack(im + size, bits, at_im);
    if constexpr (!kOneConstant) {
      L::Pack(c_re + size, bits, at_c_re);
      L::Pack(c_im + size, bits, at_c_im);
    }
    L::Pack(index + size, bits, points);
    size += L::Size(bits);
  }
};

}  // namespace
}  // namespace procpool
