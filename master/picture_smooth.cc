#include "master/picture_smooth.h"

#include <algorithm>
#include <cmath>

#include "master/attendant.h"

namespace procpool {
namespace {

/// With black and the colour of points given up, a palette of 256.
constexpr std::size_t kLevels = 254;
constexpr std::size_t kInsidePlace = kLevels;
constexpr std::size_t kGivenUpPlace = kLevels + 1;

/// What the logarithm of the values counts for against their rank.
constexpr double kGrowthShare = 1.0 / 3;
/// How often the colours of a cyclic ramp go round.
constexpr double kTurns = 2;

constexpr std::size_t kLeastSampledRows = 16;
constexpr std::size_t kSampledPoints = std::size_t{1} << 18;
constexpr std::size_t kSortedPoints = std::size_t{1} << 16;

}  // namespace

SmoothPicture::SmoothPicture(const GridView& grid, const Fractal& fractal, const ColourRamp& ramp)
    : Picture(grid.width, grid.height), grid_(grid), values_(fractal) {
  const double turns = ramp.IsCyclic() ? kTurns : 1;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const double place = turns * static_cast<double>(level) / (kLevels - 1);
    // The last turn ends at the ramp's end, not at its beginning.
    palette_.push_back(ramp.At(place - std::min(std::floor(place), turns - 1)));
  }
  palette_.push_back({0, 0, 0});
  palette_.push_back(kGivenUpColour);
  FindThresholds();
}

std::vector<float> SmoothPicture::SampleOutside() const {
  const std::size_t rows = std::clamp<std::size_t>(
      kSampledPoints / width(), std::min<std::size_t>(kLeastSampledRows, height()), height());
  const std::size_t stride = std::max<std::size_t>(1, rows * width() / kSortedPoints);
  std::vector<float> line(width());
  std::vector<float> samples;
  for (std::size_t sampled = 0; sampled < rows && !InterruptRequested(); ++sampled) {
    // The middles of equal parts of the height, and not the same columns in each.
    const auto row = static_cast<std::uint32_t>((2 * sampled + 1) * height() / (2 * rows));
    values_.Compute(row, grid_.Row(row), line);
    for (std::size_t column = sampled % stride; column < width(); column += stride)
      if (line[column] != SmoothValues::kInside) samples.push_back(line[column]);
  }
  return samples;
}

void SmoothPicture::FindThresholds() {
  std::vector<float> samples = SampleOutside();
  if (samples.empty()) samples.push_back(0);
  std::ranges::sort(samples);
  const auto least = static_cast<double>(samples.front());
  const double range = std::log1p(samples.back() - least);
  const auto last = static_cast<double>(std::max<std::size_t>(samples.size() - 1, 1));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double rank = static_cast<double>(i) / last;
    const double growth = range > 0 ? std::log1p(samples[i] - least) / range : 0;
    const double place = (1 - kGrowthShare) * rank + kGrowthShare * growth;
    while (thresholds_.size() < kLevels - 1 &&
           place * kLevels >= static_cast<double>(thresholds_.size() + 1))
      thresholds_.push_back(samples[i]);
  }
  thresholds_.resize(kLevels - 1, samples.back());
}

void SmoothPicture::Places(std::uint32_t line, std::span<std::uint8_t> places) const {
  const std::uint32_t row = grid_.origin_lower ? height() - 1 - line : line;
  const std::span<const std::int32_t> counts = grid_.Row(row);
  std::vector<float> values(width());
  values_.Compute(row, counts, values);
  for (std::size_t i = 0; i < places.size(); ++i) {
    std::size_t place = kInsidePlace;
    if (counts[i] < 0) {
      place = kGivenUpPlace;
    } else if (values[i] != SmoothValues::kInside) {
      const auto above = std::ranges::upper_bound(thresholds_, values[i]);
      place = static_cast<std::size_t>(above - thresholds_.begin());
    }
    places[i] = static_cast<std::uint8_t>(place);
  }
}

void SmoothPicture::Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const {
  std::vector<std::uint8_t> places(width());
  Places(line, places);
  std::uint8_t* out = rgb.data();
  for (const std::uint8_t place : places) {
    const Rgb colour = palette_[place];
    *out++ = colour.red;
    *out++ = colour.green;
    *out++ = colour.blue;
  }
}

}  // namespace procpool
