#include "master/runner.h"

#include <string>

namespace procpool {
namespace runner {

std::uint64_t GridBytes(const Fractal& fractal) {
  return std::uint64_t{fractal.Width()} * fractal.Height() * sizeof(std::int32_t);
}

std::string GridText(const Fractal& fractal) {
  return "grid of " + std::to_string(fractal.Width()) + " x " + std::to_string(fractal.Height());
}

void SpoilRows(const Buffer& grid, const Fractal& fractal) {
  constexpr std::int32_t kNoCount = -2;
  const std::span<std::int32_t> counts = grid.as<std::int32_t>();
  for (std::size_t at = 0; at < counts.size(); at += fractal.Width()) counts[at] = kNoCount;
}

}  // namespace runner

std::unique_ptr<Runner> MakeRunner(const RunSetup& setup) {
  return setup.options.InProcess() ? runner::MakeTeamRunner(setup) : runner::MakePoolRunner(setup);
}

}  // namespace procpool
