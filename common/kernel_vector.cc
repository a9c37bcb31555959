// Whole-array steps without an early exit, as numpy and numexpr make them: each step is one pass
// over all points of a block, whether they have escaped or not. The blocks fit into the first
// cache, and the passes are plain loops that the compiler makes vectors of.
//
// What an orbit does after its escape is computed too and counts no more; it soon is not finite,
// which costs nothing. Points in the band of escape.h are few and computed again one by one.
#include <algorithm>

#include "common/escape.h"
#include "common/kernel_functions.h"

namespace procpool {
namespace {

constexpr std::size_t kBlock = 256;

struct Block {
  std::size_t size;
  double re[kBlock], im[kBlock];      // NOLINT: plain arrays are what compilers vectorize
  double c_re[kBlock], c_im[kBlock];  // NOLINT
  double inside[kBlock];              // NOLINT: 1 until the norm is not below the band, then 0
  double steps[kBlock];               // NOLINT: with 1 inside
  double norm[kBlock];                // NOLINT: the last one that was looked at from inside
};

void Step(Block& block) {
  for (std::size_t i = 0; i < block.size; ++i) {
    const double product = block.re[i] * block.im[i];
    block.re[i] = (block.re[i] * block.re[i] - block.im[i] * block.im[i]) + block.c_re[i];
    block.im[i] = (product + product) + block.c_im[i];
  }
}

void TestAndStep(Block& block, double below) {
  for (std::size_t i = 0; i < block.size; ++i) {
    const double re_square = block.re[i] * block.re[i];
    const double im_square = block.im[i] * block.im[i];
    const double product = block.re[i] * block.im[i];
    const double norm = re_square + im_square;
    block.norm[i] = block.inside[i] != 0 ? norm : block.norm[i];
    block.inside[i] = norm < below ? block.inside[i] : 0;
    block.steps[i] += block.inside[i];
    block.re[i] = (re_square - im_square) + block.c_re[i];
    block.im[i] = (product + product) + block.c_im[i];
  }
}

void Gather(const Operand& operand, std::size_t row, std::size_t first, std::size_t size,
            double* values) {
  for (std::size_t i = 0; i < size; ++i) values[i] = operand.At(row, first + i);
}

}  // namespace

void ComputeVector(const Fractal& fractal, const Points& points, std::int32_t* counts) {
  const EscapeBand band = EscapeBandOf(fractal);
  Block block;  // NOLINT: each value is written before it is read
  for (std::size_t row = 0; row < points.rows; ++row) {
    for (std::size_t first = 0; first < points.columns; first += kBlock) {
      block.size = std::min(kBlock, points.columns - first);
      Gather(points.z_re, row, first, block.size, block.re);
      Gather(points.z_im, row, first, block.size, block.im);
      Gather(points.c_re, row, first, block.size, block.c_re);
      Gather(points.c_im, row, first, block.size, block.c_im);
      std::fill_n(block.inside, block.size, 1.0);
      std::fill_n(block.steps, block.size, 0.0);
      if (fractal.test == TestPlace::kAfterStep) Step(block);
      for (std::int32_t step = 0; step < fractal.max_iterations; ++step)
        TestAndStep(block, band.below);
      for (std::size_t i = 0; i < block.size; ++i) {
        std::int32_t& count = counts[row * points.columns + first + i];
        if (block.inside[i] != 0) {
          count = fractal.NeverCount();
        } else if (block.norm[i] > band.above) {
          count = static_cast<std::int32_t>(block.steps[i]);
        } else {
          CountPoint(fractal, points, row, first + i, counts);
        }
      }
    }
  }
}

}  // namespace procpool
