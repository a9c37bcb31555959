// The kernel `simd`: many points at once, for any instruction set of simd_lanes.h.
//
// Points escape at different times, and a vector is busy until its last lane has. So:
//
//  1. The first steps of neighbours are made together, each step tested. Most points end here, and
//     neighbours end at about the same time.
//  2. Those that are left are packed into queues. All points of queue n have done the same number
//     of steps, and are taken on by full batches to the number of queue n + 1, about twice as many:
//     a lane idles for half of its batch's steps at worst.
//  3. In a batch steps are made in blocks without a look at the norm, which is allowed where an
//     orbit that escapes stays outside (UncheckedSteps). Then the norm is looked at once. Lanes
//     that seem to have escaped leave the batch, and their last block is made again, each step
//     tested.
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

#include "common/escape.h"
#include "common/kernel_functions.h"
#include "common/simd_lanes.h"

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
  using Counter = typename L::Counter;
  using Index = typename L::Index;

  static constexpr int kLanes = L::kCount;
  static constexpr unsigned kAllLanes = (1U << kLanes) - 1;
  static constexpr int kGroupVectors = 4;  // of neighbours
  static constexpr int kGroup = kGroupVectors * kLanes;
  static constexpr int kBatch = kVectors * kLanes;
  static constexpr int kBlock = 24;  // unchecked steps
  // Nobody who starts inside is not finite before about ten steps.
  static constexpr int kFirstSteps = kUntilInfinite ? 16 : 8;
  static constexpr int kMostQueues = 28;  // 24 * 2^27 > 2^31
  static constexpr int kAgain = 8 * kLanes;
  static constexpr double kInfinity = __builtin_inf();

  // Points that have done the same number of steps, lane by lane; the newest last.
  template <int kSize>
  struct Queue {
    static constexpr int kConstants = kOneConstant ? kLanes : kSize + kLanes;
    alignas(64) double re[kSize + kLanes];            // NOLINT: as vectors are loaded
    alignas(64) double im[kSize + kLanes];            // NOLINT
    alignas(64) double c_re[kConstants];              // NOLINT
    alignas(64) double c_im[kConstants];              // NOLINT
    alignas(64) std::uint32_t index[kSize + kLanes];  // NOLINT: of its count
    int size = 0;

    void Push(unsigned bits, Real at_re, Real at_im, Real at_c_re, Real at_c_im, Index points) {
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

  // Several vectors of points on their way together, each step tested.
  template <int kSize>
  struct Tested {
    Real re[kSize], im[kSize], c_re[kSize], c_im[kSize];  // NOLINT: registers
    Counter steps[kSize];                                 // NOLINT
    Mask inside[kSize];                                   // NOLINT
    // What the last test of a lane looked at: the norm; until infinite, z itself.
    Real seen[kSize], seen_im[kSize];  // NOLINT
  };

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
    below_ = Real(kUntilInfinite ? kInfinity : band.below);
    above_ = Real(band.above);
    suspicious_ = Real(kUntilInfinite ? kInfinity : unchecked.suspicious);
    most_constant_norm_ = Real(unchecked.most_constant * unchecked.most_constant);
    const bool allowed =
        unchecked.most_constant >= 0 &&
        (!kOneConstant || Bits(NormOf(one_c_re_, one_c_im_) <= most_constant_norm_) != 0);
    PlanQueues(allowed);
  }

  void Run() {
    for (std::size_t row = 0; row < points_.rows; ++row) {
      for (std::size_t column = 0; column < points_.columns; column += kGroup) {
        const std::size_t left = points_.columns - column;
        Begin(row, column, left < kGroup ? static_cast<int>(left) : kGroup);
        if (queues_ > 0 && queue_[0].size >= kBatch) Continue(0);
      }
    }
    for (int queue = 0; queue < queues_; ++queue) {
      while (queue_[queue].size > 0) Continue(queue);
    }
    CountAgain();
  }

 private:
  // steps_[n]: how many the points of queue n have done; the last one is the limit.
  void PlanQueues(bool unchecked_allowed) {
    std::int64_t steps = unchecked_allowed && kFirstSteps < most_ ? kFirstSteps : most_;
    steps += (most_ - steps) % kBlock;
    steps_[0] = static_cast<std::int32_t>(steps);
    for (std::int64_t length = kBlock; steps < most_; length *= 2) {
      steps += length;
      if (steps + length / 2 > most_) steps = most_;
      steps_[++queues_] = static_cast<std::int32_t>(steps);
    }
  }

  static unsigned Bits(const Mask& mask) { return L::Bits(mask); }
  static constexpr std::ptrdiff_t FirstLane(int vector) { return std::ptrdiff_t{vector} * kLanes; }
  static Real NormOf(Real re, Real im) { return re * re + im * im; }

  static void Step(Real& re, Real& im, Real re_square, Real im_square, Real c_re, Real c_im) {
    const Real product = re * im;
    re = (re_square - im_square) + c_re;
    im = L::Doubled(product, c_im);
  }

  template <int kSize>
  static void Start(Tested<kSize>& points, int vector) {
    points.steps[vector] = L::Zero();
    points.inside[vector] = Mask(true);
    points.seen[vector] = points.seen_im[vector] = Real(kInfinity);
  }

  // Tests all, then makes a step with all. Returns whether anybody is inside still.
  template <int kSize>
  [[gnu::always_inline]] bool TestAndStep(Tested<kSize>& points) const {
    Mask anybody(false);
#pragma GCC unroll 8
    for (int v = 0; v < kSize; ++v) {
      const Real re = points.re[v];
      const Real im = points.im[v];
      const Real re_square = re * re;
      const Real im_square = im * im;
      if constexpr (kUntilInfinite) {
        // Not below hypot, so where this is finite hypot is.
        const Real sum = xsimd::abs(re) + xsimd::abs(im);
        points.seen[v] = xsimd::select(points.inside[v], re, points.seen[v]);
        points.seen_im[v] = xsimd::select(points.inside[v], im, points.seen_im[v]);
        points.inside[v] = points.inside[v] & (sum < below_);
      } else {
        const Real norm = re_square + im_square;
        points.seen[v] = xsimd::select(points.inside[v], norm, points.seen[v]);
        points.inside[v] = points.inside[v] & (norm < below_);
      }
      anybody = anybody | points.inside[v];
      points.steps[v] = L::Count(points.steps[v], points.inside[v]);
      Step(points.re[v], points.im[v], re_square, im_square, points.c_re[v], points.c_im[v]);
    }
    return Bits(anybody) != 0;
  }

  /// Lanes that left although they may be inside.
  template <int kSize>
  unsigned Doubtful(const Tested<kSize>& points, int v) const {
    const unsigned outside = kAllLanes & ~Bits(points.inside[v]);
    if constexpr (kUntilInfinite) {
      const Real infinity(kInfinity);
      return outside & Bits(xsimd::abs(points.seen[v]) < infinity) &
             Bits(xsimd::abs(points.seen_im[v]) < infinity);
    } else {
      return outside & ~Bits(points.seen[v] > above_);
    }
  }

  // ---- the first steps

  // kLanes values from one column on; beyond `left` of them the last one again.
  static Real Load(const Operand& operand, std::size_t row, std::size_t column, int left) {
    const double* from = operand.values + row * operand.row_stride + column * operand.stride;
    if (operand.stride == 0) return Real(*from);
    if (operand.stride == 1 && left >= kLanes) return Real::load_unaligned(from);
    alignas(64) double values[kLanes];  // NOLINT
    for (int lane = 0; lane < kLanes; ++lane) {
      const int at = lane < left ? lane : left - 1;
      values[lane] =
          from[static_cast<std::ptrdiff_t>(at) * static_cast<std::ptrdiff_t>(operand.stride)];
    }
    return Real::load_aligned(values);
  }

  // `size` points of one row, at most kGroup.
  void Begin(std::size_t row, std::size_t column, int size) {
    Tested<kGroupVectors> points;
    unsigned alone[kGroupVectors];    // NOLINT: lanes that are computed one by one
    unsigned checked[kGroupVectors];  // NOLINT: lanes whose every step has to be tested
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v) {
      // A vector beyond the end is the last point over and over.
      const int first = v * kLanes < size ? v * kLanes : size - 1;
      const int left = size - first;
      const std::size_t at = column + static_cast<std::size_t>(first);
      points.re[v] = Load(points_.z_re, row, at, left);
      points.im[v] = Load(points_.z_im, row, at, left);
      points.c_re[v] = kOneConstant ? one_c_re_ : Load(points_.c_re, row, at, left);
      points.c_im[v] = kOneConstant ? one_c_im_ : Load(points_.c_im, row, at, left);
      Start(points, v);
      if constexpr (kOneConstant) {
        alone[v] = checked[v] = 0;
      } else {
        const Real norm = NormOf(points.c_re[v], points.c_im[v]);
        alone[v] = Bits(!(norm <= Real(kLargestConstantNorm)));
        checked[v] = queues_ > 0 ? Bits(norm > most_constant_norm_) : 0;
      }
    }
    // A test after each step is one before each, if the first step has been made already.
    if (fractal_.test == TestPlace::kAfterStep) {
#pragma GCC unroll 8
      for (int v = 0; v < kGroupVectors; ++v) {
        const Real re = points.re[v];
        const Real im = points.im[v];
        Step(points.re[v], points.im[v], re * re, im * im, points.c_re[v], points.c_im[v]);
      }
    }
    for (std::int32_t step = 0; step < steps_[0] && TestAndStep(points); ++step) {
    }

    const std::size_t base = row * points_.columns + column;
    unsigned again = 0;
#pragma GCC unroll 8
    for (int v = 0; v < kGroupVectors; ++v) {
      const int left = size - v * kLanes;
      if (left <= 0) break;
      const unsigned here = left >= kLanes ? kAllLanes : (1U << left) - 1;
      const unsigned left_over = Bits(points.inside[v]);
      alone[v] = here & (alone[v] | Doubtful(points, v) | (left_over & checked[v]));
      again |= alone[v];
      StoreCounts(points.steps[v], counts_ + base + FirstLane(v), left);
      const unsigned inside = left_over & here & ~alone[v];
      if (inside == 0) continue;
      const auto first = static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(v * kLanes);
      if (queues_ > 0) {
        queue_[0].Push(inside, points.re[v], points.im[v], points.c_re[v], points.c_im[v],
                       L::From(first));
      } else {
        for (unsigned bits = inside; bits != 0; bits &= bits - 1)
          counts_[first + static_cast<unsigned>(__builtin_ctz(bits))] = never_;
      }
    }
    if (again == 0) [[likely]]
      return;
    for (int v = 0; v * kLanes < size; ++v) {
      for (unsigned bits = alone[v]; bits != 0; bits &= bits - 1)
        CountPoint(fractal_, points_, row,
                   column + static_cast<std::size_t>(v * kLanes + __builtin_ctz(bits)), counts_);
    }
  }

  static void StoreCounts(Counter steps, std::int32_t* to, int left) {
    if (left >= kLanes) return L::Store(steps, to);
    alignas(64) std::int32_t all[2 * kLanes];  // NOLINT
    L::Store(steps, all);
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
    const std::int32_t end = steps_[number + 1];
    for (std::int32_t done = steps_[number]; done < end; done += kBlock) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        re[v].store_aligned(start_re + FirstLane(v));
        im[v].store_aligned(start_im + FirstLane(v));
      }
      for (int step = 0; step < kBlock; ++step) {
#pragma GCC unroll 16
        for (int v = 0; v < kVectors; ++v)
          Step(re[v], im[v], re[v] * re[v], im[v] * im[v], constant_re(v), constant_im(v));
      }
      unsigned outside[kVectors];  // NOLINT: perhaps
      unsigned any_outside = 0;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        const Real measure =
            kUntilInfinite ? xsimd::abs(re[v]) + xsimd::abs(im[v]) : NormOf(re[v], im[v]);
        outside[v] = Bits(!(measure < suspicious_)) & inside[v];
        any_outside |= outside[v];
      }
      if (any_outside == 0) continue;
      unsigned any_inside = 0;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        if (outside[v] != 0) {
          for (int lane = 0; lane < kLanes; ++lane) again_done_[again_.size + lane] = done;
          again_.Push(outside[v], Real::load_aligned(start_re + FirstLane(v)),
                      Real::load_aligned(start_im + FirstLane(v)), constant_re(v), constant_im(v),
                      L::Load(index + FirstLane(v)));
          inside[v] &= ~outside[v];
        }
        any_inside |= inside[v];
      }
      if (again_.size >= kAgain) CountAgain();
      if (any_inside == 0) return;
    }
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      if (inside[v] == 0) continue;
      if (end == most_) {
        for (unsigned bits = inside[v]; bits != 0; bits &= bits - 1)
          counts_[index[FirstLane(v) + __builtin_ctz(bits)]] = never_;
      } else {
        queue_[number + 1].Push(inside[v], re[v], im[v], constant_re(v), constant_im(v),
                                L::Load(index + FirstLane(v)));
      }
    }
    if (end != most_ && queue_[number + 1].size >= kBatch) Continue(number + 1);
  }

  // The last block of those that seemed to have escaped, each step tested.
  [[gnu::noinline]] void CountAgain() {
    constexpr int kTogether = 4;
    for (int first = 0; first < again_.size; first += kTogether * kLanes) {
      Tested<kTogether> points;
#pragma GCC unroll 8
      for (int v = 0; v < kTogether; ++v) {
        const int at = first + v * kLanes;
        points.re[v] = Real::load_aligned(again_.re + at);
        points.im[v] = Real::load_aligned(again_.im + at);
        points.c_re[v] =
            kOneConstant ? one_c_re_ : Real::load_aligned(again_.c_re + (kOneConstant ? 0 : at));
        points.c_im[v] =
            kOneConstant ? one_c_im_ : Real::load_aligned(again_.c_im + (kOneConstant ? 0 : at));
        Start(points, v);
      }
      for (int step = 0; step < kBlock && TestAndStep(points); ++step) {
      }
#pragma GCC unroll 8
      for (int v = 0; v < kTogether; ++v) {
        const int at = first + v * kLanes;
        alignas(64) std::int32_t steps[2 * kLanes];  // NOLINT
        L::Store(points.steps[v], steps);
        const int left = again_.size - at;
        for (int lane = 0; lane < kLanes && lane < left; ++lane)
          counts_[again_.index[at + lane]] = again_done_[at + lane] + steps[lane];
        for (unsigned bits = Bits(points.inside[v]) | Doubtful(points, v); bits != 0;
             bits &= bits - 1) {
          const int lane = __builtin_ctz(bits);
          if (lane >= left) break;
          const int k = at + lane;
          alignas(64) double c_re[kLanes], c_im[kLanes];  // NOLINT
          points.c_re[v].store_aligned(c_re);
          points.c_im[v].store_aligned(c_im);
          counts_[again_.index[k]] = CountFrom(fractal_, again_.re[k], again_.im[k], c_re[lane],
                                               c_im[lane], again_done_[k]);
        }
      }
    }
    again_.size = 0;
  }

  const Fractal& fractal_;
  const Points& points_;
  std::int32_t* counts_;
  std::int32_t most_;
  std::int32_t never_;
  Real below_, above_, suspicious_, most_constant_norm_;
  Real one_c_re_, one_c_im_;
  int queues_ = 0;
  std::int32_t steps_[kMostQueues + 1];            // NOLINT
  Queue<2 * kBatch + kGroup> queue_[kMostQueues];  // NOLINT
  Queue<kAgain + kBatch + 4 * kLanes> again_;
  std::int32_t again_done_[kAgain + kBatch + 4 * kLanes];  // NOLINT: steps before the block
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
