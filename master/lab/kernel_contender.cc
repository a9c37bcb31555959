#include "master/lab/kernel_contender.h"

#include <algorithm>

#include "common/checksum.h"
#include "common/clock.h"

namespace procpool {
namespace {

double StepsPerSecond(UncheckedStepsFunction unchecked, int vectors, std::uint64_t rounds) {
  const Nanoseconds begun = Now();
  const std::uint64_t steps = unchecked(vectors, rounds);
  return static_cast<double>(steps) / Seconds(std::max<Nanoseconds>(1, Now() - begun));
}

// About a millisecond for each number of vectors.
double MostStepsPerSecond(UncheckedStepsFunction unchecked) {
  constexpr std::uint64_t kRounds = 200'000;
  double most = 0;
  for (const int vectors : {4, 5, 6, 7, 8, 10})
    most = std::max(most, StepsPerSecond(unchecked, vectors, kRounds));
  return most;
}

}  // namespace

std::uint64_t StepsOf(const Fractal& fractal) {
  Fractal counted = fractal;
  counted.never = NeverValue::kMaxIterations;
  std::vector<std::int32_t> row(fractal.Width());
  RowsComputer computer(counted, *FindKernel("auto"));
  std::uint64_t steps = 0;
  for (std::uint64_t y = 0; y < fractal.Height(); ++y) {
    computer.Compute(y * fractal.Width(), row);
    for (const std::int32_t count : row) {
      // Under kAfterStep the step that led outside is made, but the count is its index.
      const bool one_more = fractal.test == TestPlace::kAfterStep && count < fractal.max_iterations;
      steps += static_cast<std::uint64_t>(count) + (one_more ? 1 : 0);
    }
  }
  return steps;
}

KernelContender::KernelContender(const Fractal& fractal, const Kernel& kernel,
                                 const Kernel* ceiling)
    : computer_(fractal, kernel),
      ceiling_(ceiling),
      grid_(std::size_t{fractal.Width()} * fractal.Height()) {}

Measurement KernelContender::Run() {
  const Nanoseconds begun = Now();
  computer_.Compute(0, grid_);
  const double wall = Seconds(Now() - begun);
  ceilings_.push_back(ceiling_ == nullptr ? 0 : MostStepsPerSecond(ceiling_->unchecked));
  return {.wall = wall, .checksum = ChecksumOf(grid_)};
}

}  // namespace procpool
