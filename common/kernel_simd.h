// The kernel `simd`: many points at once, for any instruction set of simd_lanes.h.
//
// Points escape at different times, and a vector is busy until its last lane has. So:
//
//  1. The first steps of neighbours are made together, each step tested (simd_orbits.h). Most
//  points
//     end here, and neighbours end at about the same time.
//  2. Those that are left are packed into queues. All points of queue n have done the same number
//     of steps, and are taken on by full batches to the number of queue n + 1, about twice as many:
//     a lane idles for half of its batch's steps at worst.
//  3. In a batch steps are made in blocks without a look at the norm, which is allowed where an
//     orbit that escapes stays outside (UncheckedSteps). Then the norm is looked at once. Lanes
//     that seem to have escaped leave the batch, and their last block is made again, each step
//     tested. How long a queue's blocks are follows from how many of its lanes leave
//     (simd_plan.h). A lane that is after a block where it was before will never escape, and
//     leaves.
//
// im' = (re*im + im*re) + c.im is one fused multiply-add: doubling is exact, so it rounds once, as
// the plain form does. No other contraction is exact.
//
// What the norm cannot decide (the band of escape.h), and what may not be done unchecked, is
// computed again one by one; those points are few.
//
// The files that include this are compiled each for its instruction set. The linker keeps one copy
// of a function that several files have, and it must not be the copy for a CPU that is not there:
// so everything here is of this file's own (anonymous), and of the C++ library only what leaves no
// function behind is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "common/escape.h"
#include "common/kernel_functions.h"
#include "common/simd_lanes.h"
#include "common/simd_load.h"
#include "common/simd_orbits.h"
#include "common/simd_plan.h"
#include "common/simd_queue.h"
#include "common/simd_safe_steps.h"

namespace procpool {
namespace {

// |c|^2. With a larger constant a step could not be made with one rounding (escape.h).
constexpr double kLargestConstantNorm = 1e200;

// kVectors: of a batch, as many as hide the latency of a step and leave registers to it.
// kOneConstant: c is the same for all points. kUntilInfinite: escaping is to be not finite.
template <class Arch, int kVectors, bool kOneConstant, bool kUntilInfinite>
class SimdRun {
  using L = Lanes<Arch>;
  using Real = typename L::Real;
  using Mask = typename L::Mask;

  static constexpr int kLanes = L::kCount;
  static constexpr unsigned kAllLanes = AllLanes<L>();
  static constexpr int kGroupVectors = 4;  // of neighbours
  static constexpr int kGroup = kGroupVectors * kLanes;
  static constexpr int kBatch = kVectors * kLanes;
  // Most steps of these are made without a test (simd_safe_steps.h), so that more of them cost
  // little.
  static constexpr int kFirstSteps = kUntilInfinite ? 48 : 12;
  static constexpr int kAgain = 8 * kLanes;
  // What packing a batch costs, in steps of a lane.
  static constexpr std::int64_t kPacking = 256;
  static constexpr double kSafeConstant = 4;
  static constexpr double kInfinity = __builtin_inf();

  template <int kSize>
  using Masked = MaskedOrbits<L, kSize, kOneConstant, kUntilInfinite>;
  template <int kSize>
  using Counted = CountedOrbits<L, kSize, kOneConstant>;

  template <int kSize>
  using Queue = PointQueue<L, kSize, kOneConstant>;

 public:
  SimdRun(const Fractal& fractal, const Points& points, std::int32_t* counts)
      : fractal_(fractal),
        points_(points),
        counts_(counts),
        most_(fractal.max_iterations),
        never_(CountFrom(fractal, 0, 0, 0, 0, most_)),  // of one that has no steps left
        one_c_re_(*points.c_re.values),
        one_c_im_(*points.c_im.values) {
    const EscapeBand band = EscapeBandOf(fractal);
    const UncheckedSteps unchecked = UncheckedStepsOf(fractal);
    masked_bounds_ = {Real(band.below), Real(band.above)};
    suspicious_ = Real(kUntilInfinite ? kInfinity : unchecked.suspicious);
    counted_bounds_ = {suspicious_, Real(band.above)};
    const double most = unchecked.most_constant;
    most_constant_norm_ = Real(most >= 0 ? most * most : -1);
    counted_ = most >= 0 &&
               (!kOneConstant || Bits(NormOf(one_c_re_, one_c_im_) <= most_constant_norm_) != 0);
    plan_ = QueuePlan(counted_ && kFirstSteps < most_ ? kFirstSteps : most_, most_);
    if constexpr (kUntilInfinite) {
      safe_ = SafeSteps<L>(
          kOneConstant ? __builtin_fabs(*points.c_re.values) + __builtin_fabs(*points.c_im.values)
                       : kSafeConstant,
          plan_.Steps(0));
    }
  }

  void Run() {
    for (std::size_t row = 0; row < points_.rows; ++row) {
      for (std::size_t column = 0; column < points_.columns; column += kGroup) {
        const std::size_t left = points_.columns - column;
        Begin(row, column, left < kGroup ? static_cast<int>(left) : kGroup);
        if (plan_.queues() > 0 && queue_[0].size >= kBatch) Continue(0);
      }
    }
    for (int queue = 0; queue < plan_.queues(); ++queue) {
      while (queue_[queue].size > 0) Continue(queue);
    }
    CountAgain();
  }

 private:
  static unsigned Bits(const Mask& mask) { return L::Bits(mask); }
  static constexpr std::ptrdiff_t FirstLane(int vector) { return std::ptrdiff_t{vector} * kLanes; }
  static Real NormOf(Real re, Real im) { return re * re + im * im; }

  // ---- the first steps

  // Constants of several vectors: the one, or those that are loaded.
  template <int kSize>
  struct Constants {
    Real re[kOneConstant ? 1 : kSize], im[kOneConstant ? 1 : kSize];  // NOLINT
  };
  template <class Group, int kSize>
  [[gnu::always_inline]] void UseConstants(Group& group, Constants<kSize>& constants) {
    group.c_re = kOneConstant ? &one_c_re_ : constants.re;
    group.c_im = kOneConstant ? &one_c_im_ : constants.im;
  }

  template <class Group>
  [[gnu::always_inline]] void LoadGroup(Group& group, Constants<kGroupVectors>& constants,
                                        std::size_t row, std::size_t column, int size) {
    LoadOperand<L>(points_.z_re, row, column, size, group.re);
    LoadOperand<L>(points_.z_im, row, column, size, group.im);
    if constexpr (!kOneConstant) {
      LoadOperand<L>(points_.c_re, row, column, size, constants.re);
      LoadOperand<L>(points_.c_im, row, column, size, constants.im);
    }
    UseConstants(group, constants);
    // A test after each step is one before each, if the first step has been made already.
    if (fractal_.test == TestPlace::kAfterStep) MakeSteps(group, 1);
  }

  template <class Group>
  [[gnu::always_inline]] static void MakeSteps(Group& group, int steps) {
    for (int step = 0; step < steps; ++step) {
#pragma GCC unroll 8
      for (int v = 0; v < kGroupVectors; ++v) {
        const Real re = group.re[v];
        const Real im = group.im[v];
        MakeStep<L>(group.re[v], group.im[v], re * re, im * im, group.c_re[group.ConstantOf(v)],
                    group.c_im[group.ConstantOf(v)]);
      }
    }
  }

  // `size` points of one row, at most kGroup.
  void Begin(std::size_t row, std::size_t column, int size) {
    if constexpr (!kUntilInfinite) {
      Counted<kGroupVectors> group;
      Constants<kGroupVectors> constants;
      if (counted_) [[likely]] {
        LoadGroup(group, constants, row, column, size);
        if (MayBeCounted(group)) [[likely]] {
          BeginCounted(group, row, column, size);
          return;
        }
      }
    }
    BeginMasked(row, column, size);
  }

  [[gnu::always_inline]] bool MayBeCounted(const Counted<kGroupVectors>& group) const {
    if (group.AnyIsNan()) return false;
    if constexpr (kOneConstant) return true;
    Mask small(true);
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v)
      small = small & (NormOf(group.c_re[group.ConstantOf(v)], group.c_im[group.ConstantOf(v)]) <=
                       most_constant_norm_);
    return Bits(small) == kAllLanes;
  }

  [[gnu::always_inline]] void BeginCounted(Counted<kGroupVectors>& group, std::size_t row,
                                           std::size_t column, int size) {
    group.Start();
    std::int32_t tests = 0;
    bool anybody = true;
    while (tests < plan_.Steps(0) && anybody) {
      ++tests;
      anybody = group.TestAndStep(counted_bounds_);
    }
    const unsigned none[kGroupVectors] = {};  // NOLINT
    Finish(group, row, column, size, tests, anybody, counted_bounds_, none, none);
  }

  [[gnu::noinline]] void BeginMasked(std::size_t row, std::size_t column, int size) {
    Masked<kGroupVectors> group;
    Constants<kGroupVectors> constants;
    LoadGroup(group, constants, row, column, size);
    unsigned alone[kGroupVectors];    // NOLINT: lanes that are computed one by one
    unsigned checked[kGroupVectors];  // NOLINT: lanes whose every step has to be tested
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v) {
      const Real norm = NormOf(group.c_re[group.ConstantOf(v)], group.c_im[group.ConstantOf(v)]);
      alone[v] = kOneConstant ? 0 : Bits(!(norm <= Real(kLargestConstantNorm)));
      checked[v] = kOneConstant || plan_.queues() == 0 ? 0 : Bits(norm > most_constant_norm_);
    }
    std::int32_t tests = SafeStepsOf(group);
    MakeSteps(group, tests);
    group.Start(tests);
    bool anybody = true;
    for (; tests < plan_.Steps(0) && anybody; ++tests) anybody = group.TestAndStep(masked_bounds_);
    Finish(group, row, column, size, tests, anybody, masked_bounds_, alone, checked);
  }

  // How many steps the whole group can make without being looked at.
  [[gnu::always_inline]] std::int32_t SafeStepsOf(const Masked<kGroupVectors>& group) const {
    if constexpr (!kUntilInfinite) return 0;
    if constexpr (!kOneConstant) {
      Mask small(true);
#pragma GCC unroll 8
      for (int v = 0; v < kGroupVectors; ++v)
        small = small & (Measure(group.c_re[v], group.c_im[v]) <= Real(kSafeConstant));
      if (Bits(small) != kAllLanes) return 0;
    }
    Real sums[kGroupVectors];  // NOLINT
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v) sums[v] = Measure(group.re[v], group.im[v]);
    return safe_.For(sums);
  }

  // Writes the counts of those that have ended; the others go on. Inlined, so that the group can
  // stay in registers.
  template <class Group>
  [[gnu::always_inline]] void Finish(const Group& group, std::size_t row, std::size_t column,
                                     int size, std::int32_t tests, bool anybody,
                                     const typename Group::Bounds& bounds, const unsigned* apart,
                                     const unsigned* checked) {
    const std::size_t base = row * points_.columns + column;
    if (!anybody && size == kGroup && (apart[0] | apart[1] | apart[2] | apart[3]) == 0 &&
        !group.AnyDoubtful(bounds)) [[likely]] {
#pragma GCC unroll 8
      for (int v = 0; v < kGroupVectors; ++v) group.StoreCounts(v, counts_ + base + FirstLane(v));
      return;
    }
    unsigned alone[kGroupVectors];  // NOLINT
    unsigned again = 0;
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v) {
      alone[v] = 0;
      const int left = size - v * kLanes;
      if (left <= 0) continue;
      const unsigned here = left >= kLanes ? kAllLanes : (1U << left) - 1;
      const unsigned left_over = group.Inside(v, tests);
      alone[v] = here & (apart[v] | group.Doubtful(v, bounds) | (left_over & checked[v]));
      again |= alone[v];
      StoreCounts(group, v, counts_ + base + FirstLane(v), left);
      const unsigned inside = left_over & here & ~alone[v];
      if (inside == 0) continue;
      // Whoever gets to the limit has his count already.
      const auto first = static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(v * kLanes);
      for (unsigned bits = inside; bits != 0; bits &= bits - 1)
        counts_[first + static_cast<unsigned>(__builtin_ctz(bits))] = never_;
      if (plan_.queues() > 0)
        queue_[0].Push(inside, group.re[v], group.im[v], group.c_re[group.ConstantOf(v)],
                       group.c_im[group.ConstantOf(v)], L::From(first));
    }
    if (again == 0) [[likely]]
      return;
    for (int v = 0; v * kLanes < size; ++v) {
      for (unsigned bits = alone[v]; bits != 0; bits &= bits - 1)
        CountPoint(fractal_, points_, row,
                   column + static_cast<std::size_t>(v * kLanes + __builtin_ctz(bits)), counts_);
    }
  }

  template <class Group>
  static void StoreCounts(const Group& group, int v, std::int32_t* to, int left) {
    if (left >= kLanes) return group.StoreCounts(v, to);
    alignas(64) std::int32_t all[2 * kLanes];  // NOLINT
    group.StoreCounts(v, all);
    for (int lane = 0; lane < left; ++lane) to[lane] = all[lane];
  }

  // ---- the steps after those

  // The newest batch of a queue, to the steps of the next one.
  [[gnu::noinline]] void Continue(int number) {
    auto& queue = queue_[number];
    const int size = queue.size < kBatch ? queue.size : kBatch;
    const int from = queue.size - size;
    queue.size = from;
    Real re[kVectors], im[kVectors];                        // NOLINT: registers
    alignas(64) double c_re[kOneConstant ? 1 : kBatch];     // NOLINT
    alignas(64) double c_im[kOneConstant ? 1 : kBatch];     // NOLINT
    alignas(64) double start_re[kBatch], start_im[kBatch];  // NOLINT: of the block
    unsigned inside[kVectors];                              // NOLINT
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const int left = size - v * kLanes;
      inside[v] = left <= 0 ? 0 : left >= kLanes ? kAllLanes : (1U << left) - 1;
      re[v] = Real::load_unaligned(queue.re + from + FirstLane(v));
      im[v] = Real::load_unaligned(queue.im + from + FirstLane(v));
      if constexpr (!kOneConstant) {
        Real::load_unaligned(queue.c_re + from + FirstLane(v)).store_aligned(c_re + FirstLane(v));
        Real::load_unaligned(queue.c_im + from + FirstLane(v)).store_aligned(c_im + FirstLane(v));
      }
    }
    const auto constant_re = [&](int v) {
      return kOneConstant ? one_c_re_ : Real::load_aligned(c_re + (kOneConstant ? 0 : v * kLanes));
    };
    const auto constant_im = [&](int v) {
      return kOneConstant ? one_c_im_ : Real::load_aligned(c_im + (kOneConstant ? 0 : v * kLanes));
    };
    const std::uint32_t* const index = queue.index + from;
    int left = size;  // lanes that are not done
    for (std::int32_t done = plan_.Steps(number);; ++number) {
      const std::int32_t end = plan_.Steps(number + 1);
      const std::int32_t block = plan_.BlockOf(number);
      plan_.CountBegun(number, left);
      while (done < end) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
          re[v].store_aligned(start_re + FirstLane(v));
          im[v].store_aligned(start_im + FirstLane(v));
        }
        const std::int32_t begun = done;
        const std::int32_t steps = end - done < block ? end - done : block;
        for (std::int32_t step = 0; step < steps; ++step) {
#pragma GCC unroll 16
          for (int v = 0; v < kVectors; ++v)
            MakeStep<L>(re[v], im[v], re[v] * re[v], im[v] * im[v], constant_re(v), constant_im(v));
        }
        done += steps;
        const int before = left;
        // In the first queues hardly anybody goes round yet.
        if (number > 1) left -= LetGo<L>(re, im, start_re, start_im, inside);
        Mask all_below(true);
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v)
          all_below = all_below & (Measure(re[v], im[v]) < suspicious_);
        if (Bits(all_below) == kAllLanes) {
          plan_.CountLeft(number, before - left);
          if (left == 0) return;
          continue;
        }
        // Without a branch for each vector: which of them have lost a lane nobody can predict.
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v) {
          const Mask below = Measure(re[v], im[v]) < suspicious_;
          const unsigned outside = inside[v] & ~Bits(below);
          L::Store(L::All(static_cast<std::uint32_t>(begun)), again_done_ + again_.size);
          again_.Push(outside, Real::load_aligned(start_re + FirstLane(v)),
                      Real::load_aligned(start_im + FirstLane(v)), constant_re(v), constant_im(v),
                      L::Load(index + FirstLane(v)));
          inside[v] &= ~outside;
          left -= L::Size(outside);
          // Lanes that idle begin anew, so that the next look does not see them outside.
          re[v] = xsimd::select(below, re[v], Real(0.0));
          im[v] = xsimd::select(below, im[v], Real(0.0));
        }
        plan_.CountLeft(number, before - left);
        if (steps > again_steps_) again_steps_ = steps;
        if (again_.size >= kAgain) CountAgain();
        if (left == 0) return;
      }
      if (end == most_) return;
      if (std::int64_t{kBatch - left} * (plan_.Steps(number + 2) - end) > kPacking) break;
    }
    auto& next = queue_[number + 1];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v)
      next.Push(inside[v], re[v], im[v], constant_re(v), constant_im(v),
                L::Load(index + FirstLane(v)));
    if (next.size >= kBatch) Continue(number + 1);
  }

  // What tells who may be outside: below suspicious_ nobody is.
  static Real Measure(Real re, Real im) {
    return kUntilInfinite ? xsimd::abs(re) + xsimd::abs(im) : NormOf(re, im);
  }

  // The last block of those that seemed to have escaped, each step tested.
  [[gnu::noinline]] void CountAgain() {
    constexpr int kTogether = 4;
    using Group = std::conditional_t<kUntilInfinite, Masked<kTogether>, Counted<kTogether>>;
    auto& bounds = [this]() -> auto& {
      if constexpr (kUntilInfinite)
        return masked_bounds_;
      else
        return counted_bounds_;
    }
    ();
    for (int first = 0; first < again_.size; first += kTogether * kLanes) {
      Group group;
      Constants<kTogether> constants;
#pragma GCC unroll 8
      for (int v = 0; v < kTogether; ++v) {
        const int at = first + v * kLanes;
        group.re[v] = Real::load_aligned(again_.re + at);
        group.im[v] = Real::load_aligned(again_.im + at);
        if constexpr (!kOneConstant) {
          constants.re[v] = Real::load_aligned(again_.c_re + at);
          constants.im[v] = Real::load_aligned(again_.c_im + at);
        }
      }
      UseConstants(group, constants);
      group.Start();
      // Everybody is outside after his block, so the test that shows it is one more.
      std::int32_t tests = 0;
      for (bool anybody = true; anybody && tests <= again_steps_; ++tests)
        anybody = group.TestAndStep(bounds);
#pragma GCC unroll 8
      for (int v = 0; v < kTogether; ++v) {
        const int at = first + v * kLanes;
        alignas(64) std::int32_t steps[2 * kLanes];  // NOLINT
        group.StoreCounts(v, steps);
        const int left = again_.size - at;
        for (int lane = 0; lane < kLanes && lane < left; ++lane) {
          const auto count = static_cast<std::int32_t>(again_done_[at + lane]) + steps[lane];
          // The look after the last block of all saw what no test of the fractal looks at.
          counts_[again_.index[at + lane]] = count < most_ ? count : never_;
        }
        for (unsigned bits = group.Inside(v, tests) | group.Doubtful(v, bounds); bits != 0;
             bits &= bits - 1) {
          const int lane = __builtin_ctz(bits);
          if (lane >= left) break;
          const int k = at + lane;
          const double c_re =
              kOneConstant ? *points_.c_re.values : again_.c_re[kOneConstant ? 0 : k];
          const double c_im =
              kOneConstant ? *points_.c_im.values : again_.c_im[kOneConstant ? 0 : k];
          counts_[again_.index[k]] = CountFrom(fractal_, again_.re[k], again_.im[k], c_re, c_im,
                                               static_cast<std::int32_t>(again_done_[k]));
        }
      }
    }
    again_.size = 0;
    again_steps_ = 0;
  }

  const Fractal& fractal_;
  const Points& points_;
  std::int32_t* counts_;
  std::int32_t most_;
  std::int32_t never_;
  bool counted_ = false;  // orbits that are outside stay there, for no constant is too large
  OrbitBounds<L> counted_bounds_, masked_bounds_;
  Real suspicious_, most_constant_norm_;
  Real one_c_re_, one_c_im_;
  QueuePlan plan_;
  Queue<2 * kBatch + kGroup> queue_[QueuePlan::kMostQueues];  // NOLINT
  Queue<kAgain + kBatch + 4 * kLanes> again_;
  std::uint32_t again_done_[kAgain + kBatch + 4 * kLanes];  // NOLINT: steps before the block
  std::int32_t again_steps_ = 0;                            // of the longest of those blocks
  SafeSteps<L> safe_;
};

template <class Arch, int kVectors, bool kOneConstant>
void ComputeSimd(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  if (fractal.measure == Measure::kAbs && fractal.escape == EscapeWhen::kNotBelow &&
      fractal.bailout == __builtin_inf()) {
    SimdRun<Arch, kVectors, kOneConstant, true>(fractal, points, counts).Run();
  } else {
    SimdRun<Arch, kVectors, kOneConstant, false>(fractal, points, counts).Run();
  }
}

template <class Arch, int kVectors>
void ComputeSimd(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  if (points.columns == 0 || points.rows == 0) return;
  const auto is_one = [](const Operand& operand) {
    return operand.stride == 0 && operand.row_stride == 0;
  };
  if (!is_one(points.c_re) || !is_one(points.c_im))
    return ComputeSimd<Arch, kVectors, false>(fractal, points, counts);
  const double c_re = *points.c_re.values;
  const double c_im = *points.c_im.values;
  if (c_re * c_re + c_im * c_im <= kLargestConstantNorm)
    return ComputeSimd<Arch, kVectors, true>(fractal, points, counts);
  ComputeScalar(fractal, points, counts);
}

}  // namespace
}  // namespace procpool
