// Several vectors of orbits on their way together, each step tested, for any instruction set of
// simd_lanes.h: the part of the kernel `simd` (kernel_simd.h) that counts.
//
// Two forms, for what a test costs is most of what counting costs:
//
//  - CountedOrbits, where whoever is outside stays outside (UncheckedSteps of escape.h). Then
//    nothing has to be remembered of a lane but two numbers: how often its norm was certainly
//    inside (below `low`), and how often it was not certainly outside (not above `high`). Where
//    both are the same no norm was between the two, and that number is the count: the first norm
//    that was not inside was outside, and none came back. Elsewhere the lane is doubtful.
//  - MaskedOrbits, for all others, and where escaping is to be not finite. A lane is inside until
//    it once is not, and keeps what that test looked at.
//
// Included like kernel_simd.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/simd_lanes.h"

namespace procpool {
namespace {

/// z <- z*z + c, from the squares of z. One fused multiply-add, for doubling is exact.
template <class L>
[[gnu::always_inline]] inline void MakeStep(typename L::Real& re, typename L::Real& im,
                                            typename L::Real re_square, typename L::Real im_square,
                                            typename L::Real c_re, typename L::Real c_im) {
  const typename L::Real product = re * im;
  re = (re_square - im_square) + c_re;
  im = L::Doubled(product, c_im);
}

/// The compiler would rather keep what never changes in registers, and orbits in memory. Where 16
/// registers are all there are, it is told that this may have changed.
template <class L>
[[gnu::always_inline]] inline void StayInMemory(typename L::Real& value) {
  if constexpr (L::kRegisters < 32) asm("" : "+m"(value));
}

template <class L>
constexpr unsigned AllLanes() {
  return (1U << L::kCount) - 1;
}

/// kOneConstant: of the constants there is one for all.
template <class L, int kSize, bool kOneConstant>
struct Orbits {
  typename L::Real re[kSize], im[kSize];  // NOLINT: registers
  typename L::Real* c_re;                 ///< of each vector, or of all; outlive the orbits
  typename L::Real* c_im;

  static constexpr int ConstantOf(int v) { return kOneConstant ? 0 : v; }

 protected:
  [[gnu::always_inline]] void Step(int v, typename L::Real re_square, typename L::Real im_square) {
    StayInMemory<L>(c_re[ConstantOf(v)]);
    StayInMemory<L>(c_im[ConstantOf(v)]);
    MakeStep<L>(re[v], im[v], re_square, im_square, c_re[ConstantOf(v)], c_im[ConstantOf(v)]);
  }
};

/// A norm below `low` is inside for certain, one above `high` outside.
template <class L>
struct OrbitBounds {
  typename L::Real low, high;
};

/// With low = UncheckedSteps::suspicious, high = EscapeBand::above.
/// |c| <= UncheckedSteps::most_constant in each lane. A lane whose first norm is NaN has no count.
template <class L, int kSize, bool kOneConstant>
class CountedOrbits : public Orbits<L, kSize, kOneConstant> {
  using Real = typename L::Real;
  using Mask = typename L::Mask;

 public:
  using Bounds = OrbitBounds<L>;

  void Start() {
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) tests_[v] = L::NoPair();
  }

  /// Whether the first norm of any lane is NaN; of some that are infinite too.
  bool AnyIsNan() const {
    Mask nan(false);
    // Not by way of the norm: the compiler would carry the squares from step to step, for which
    // there are no registers.
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) nan = nan | xsimd::isnan(this->re[v] + this->im[v]);
    return L::Bits(nan) != 0;
  }

  /// Tests all, then makes a step with all. Returns whether anybody is inside still.
  [[gnu::always_inline]] bool TestAndStep(Bounds& bounds) {
    Mask anybody(false);
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) {
      const Real re_square = this->re[v] * this->re[v];
      const Real im_square = this->im[v] * this->im[v];
      const Real norm = re_square + im_square;
      StayInMemory<L>(bounds.low);
      StayInMemory<L>(bounds.high);
      const Mask inside = norm < bounds.low;
      tests_[v] = L::Count(tests_[v], inside, norm <= bounds.high);
      anybody = anybody | inside;
      this->Step(v, re_square, im_square);
    }
    return L::Bits(anybody) != 0;
  }

  void StoreCounts(int v, std::int32_t* to) const {
    L::StoreFirsts(tests_[v], to);
  }
  /// Lanes that were inside in each of `tests` tests.
  unsigned Inside(int v, std::int32_t tests) const {
    return L::Bits(L::FirstsAre(tests_[v], tests));
  }
  unsigned Doubtful(int v, const Bounds& /*bounds*/) const {
    return AllLanes<L>() & ~L::Bits(L::Alike(tests_[v]));
  }
  bool AnyDoubtful(const Bounds& /*bounds*/) const {
    Mask sure(true);
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) sure = sure & L::Alike(tests_[v]);
    return L::Bits(sure) != AllLanes<L>();
  }

 private:
  typename L::Pair tests_[kSize];  // NOLINT: in how many a lane was inside, and not outside
};

/// With low = EscapeBand::below, high = EscapeBand::above.
/// kUntilInfinite: escaping is to be not finite.
template <class L, int kSize, bool kOneConstant, bool kUntilInfinite>
class MaskedOrbits : public Orbits<L, kSize, kOneConstant> {
  using Real = typename L::Real;
  using Mask = typename L::Mask;
  static constexpr double kInfinity = __builtin_inf();

 public:
  using Bounds = OrbitBounds<L>;

  /// All have made `done` steps, and were inside in each test so far.
  void Start(std::int32_t done = 0) {
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) {
      steps_[v] = L::Of(done);
      inside_[v] = Mask(true);
      seen_[v] = seen_im_[v] = Real(kInfinity);
    }
  }

  [[gnu::always_inline]] bool TestAndStep(Bounds& bounds) {
    Mask anybody(false);
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) {
      const Real at_re = this->re[v];
      const Real at_im = this->im[v];
      const Real re_square = at_re * at_re;
      const Real im_square = at_im * at_im;
      if constexpr (kUntilInfinite) {
        // Not below hypot, so where this is finite hypot is.
        const Real sum = xsimd::abs(at_re) + xsimd::abs(at_im);
        seen_[v] = xsimd::select(inside_[v], at_re, seen_[v]);
        seen_im_[v] = xsimd::select(inside_[v], at_im, seen_im_[v]);
        inside_[v] = inside_[v] & (sum < Real(kInfinity));
      } else {
        const Real norm = re_square + im_square;
        seen_[v] = xsimd::select(inside_[v], norm, seen_[v]);
        inside_[v] = inside_[v] & (norm < bounds.low);
      }
      anybody = anybody | inside_[v];
      steps_[v] = L::Count(steps_[v], inside_[v]);
      this->Step(v, re_square, im_square);
    }
    return L::Bits(anybody) != 0;
  }

  void StoreCounts(int v, std::int32_t* to) const {
    L::Store(steps_[v], to);
  }
  unsigned Inside(int v, std::int32_t /*tests*/) const {
    return L::Bits(inside_[v]);
  }
  /// Lanes that left although they may be inside.
  unsigned Doubtful(int v, const Bounds& bounds) const {
    const unsigned outside = AllLanes<L>() & ~L::Bits(inside_[v]);
    if constexpr (kUntilInfinite) {
      const Real infinity(kInfinity);
      return outside & L::Bits(xsimd::abs(seen_[v]) < infinity) &
             L::Bits(xsimd::abs(seen_im_[v]) < infinity);
    } else {
      return outside & ~L::Bits(seen_[v] > bounds.high);
    }
  }

  /// Of those that left.
  bool AnyDoubtful(const Bounds& bounds) const {
    unsigned doubtful = 0;
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) doubtful |= Doubtful(v, bounds);
    return doubtful != 0;
  }

 private:
  typename L::Counter steps_[kSize];  // NOLINT: registers
  Mask inside_[kSize];                // NOLINT
  // What the last test of a lane looked at: the norm; until infinite, z itself.
  Real seen_[kSize], seen_im_[kSize];  // NOLINT
};

/// Lanes that are where they were before some steps go round for ever, and will never escape. Takes
/// them out of `inside`, the bits of those that are on their way; returns how many it took.
/// start_re, start_im: where they were, kSize vectors, aligned.
template <class L, int kSize>
[[gnu::always_inline]] inline int LetGo(const typename L::Real (&re)[kSize],  // NOLINT
                                        const typename L::Real (&im)[kSize],  // NOLINT
                                        const double* start_re, const double* start_im,
                                        unsigned (&inside)[kSize]) {  // NOLINT
  using Real = typename L::Real;
  const auto same = [&](int v) {
    const std::ptrdiff_t first = std::ptrdiff_t{v} * L::kCount;
    return (re[v] == Real::load_aligned(start_re + first)) &
           (im[v] == Real::load_aligned(start_im + first));
  };
  typename L::Mask any(false);
#pragma GCC unroll 16
  for (int v = 0; v < kSize; ++v) any = any | same(v);
  if (L::Bits(any) == 0) [[likely]]
    return 0;
  int gone = 0;
#pragma GCC unroll 16
  for (int v = 0; v < kSize; ++v) {
    const unsigned round = inside[v] & L::Bits(same(v));
    inside[v] &= ~round;
    gone += L::Size(round);
  }
  return gone;
}

}  // namespace
}  // namespace procpool
