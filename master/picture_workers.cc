#include "master/picture_workers.h"

#include <algorithm>
#include <cmath>

#include "master/oklch.h"

namespace procpool {
namespace {

constexpr std::size_t kMostHues = 12;
constexpr double kFirstHue = 260;
constexpr double kChroma = 0.11;
constexpr double kPaleChroma = 0.05;

constexpr double kEarliest = 0.42;  // lightness
constexpr double kLatest = 0.78;
constexpr double kByCount = 0.16;
constexpr double kPartingLine = 0.65;  // of the lightness
constexpr std::uint64_t kLeastParted = 6;

/// So many steps of lightness the counts make.
constexpr std::size_t kLevels = 32;
/// Counts below this are looked up (see picture_counts.cc).
constexpr std::int32_t kTableLimit = 1 << 16;

}  // namespace

WorkersPicture::WorkersPicture(const GridView& grid, std::span<const RowsPlacement> placements,
                               std::size_t workers)
    : Picture(grid.width, grid.height),
      grid_(grid),
      placements_(placements),
      workers_(std::max<std::size_t>(workers, 1)),
      range_(RangeOf(grid.counts)) {
  const std::int32_t end = std::min(range_.max, kTableLimit - 1) + 1;
  for (std::int32_t count = 0; count < end; ++count)
    levels_.push_back(static_cast<std::uint8_t>(LevelOf(count)));
  timed_ = std::ranges::any_of(placements, [](const auto& p) { return p.finished > 0; });
  if (!timed_) {
    last_ = static_cast<double>(std::max<std::size_t>(placements.size(), 2) - 1);
    return;
  }
  first_ = static_cast<double>(std::ranges::min(placements, {}, &RowsPlacement::begun).begun);
  last_ = static_cast<double>(std::ranges::max(placements, {}, &RowsPlacement::finished).finished);
}

std::size_t WorkersPicture::LevelOf(std::int32_t count) const {
  if (range_.max <= 0) return 0;
  const double share = std::cbrt(static_cast<double>(count) / range_.max);
  return static_cast<std::size_t>(std::lround(std::min(share, 1.0) * (kLevels - 1)));
}

const RowsPlacement* WorkersPicture::PlacementOf(std::uint32_t row) const {
  const auto after =
      std::ranges::upper_bound(placements_, std::uint64_t{row}, {}, &RowsPlacement::first_row);
  if (after == placements_.begin()) return nullptr;
  const RowsPlacement& placement = *(after - 1);
  return row < placement.first_row + placement.rows ? &placement : nullptr;
}

// 0 at the beginning of the run, 1 at its end.
double WorkersPicture::TimeOf(const RowsPlacement& placement, std::uint32_t row) const {
  auto at = static_cast<double>(placement.order);
  if (timed_) {
    const double within = (static_cast<double>(row - placement.first_row) + 0.5) /
                          static_cast<double>(placement.rows);
    const auto begun = static_cast<double>(placement.begun);
    at = begun + within * (static_cast<double>(placement.finished) - begun);
  }
  return last_ > first_ ? std::clamp((at - first_) / (last_ - first_), 0.0, 1.0) : 0;
}

// The uppermost line of a chunk, unless it is the uppermost one of the picture.
bool WorkersPicture::IsParting(const RowsPlacement& placement, std::uint32_t row) const {
  if (placement.rows < kLeastParted) return false;
  const std::uint64_t end = placement.first_row + placement.rows;
  if (grid_.origin_lower) return row + 1 == end && end != height();
  return row == placement.first_row && row != 0;
}

std::vector<Rgb> WorkersPicture::ShadesOf(std::uint32_t row) const {
  const RowsPlacement* placement = PlacementOf(row);
  double lightness = kEarliest;
  double chroma = 0;
  double hue = 0;
  if (placement != nullptr) {
    lightness += (kLatest - kEarliest) * TimeOf(*placement, row);
    const std::size_t hues = std::min(workers_, kMostHues);
    chroma = placement->slot / kMostHues % 2 == 0 ? kChroma : kPaleChroma;
    hue =
        kFirstHue + 360.0 * static_cast<double>(placement->slot % hues) / static_cast<double>(hues);
    if (IsParting(*placement, row)) lightness *= kPartingLine;
  }
  std::vector<Rgb> shades;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const double share = static_cast<double>(level) / (kLevels - 1);
    shades.push_back(FromOklch(lightness + kByCount * share, chroma, hue));
  }
  return shades;
}

// There is no palette.
void WorkersPicture::Places(std::uint32_t /*line*/, std::span<std::uint8_t> /*places*/) const {}

void WorkersPicture::Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const {
  const std::uint32_t row = grid_.origin_lower ? height() - 1 - line : line;
  const std::vector<Rgb> shades = ShadesOf(row);
  std::uint8_t* out = rgb.data();
  for (const std::int32_t count : grid_.Row(row)) {
    const auto index = static_cast<std::size_t>(count);
    const Rgb colour = count < 0                ? kGivenUpColour
                       : index < levels_.size() ? shades[levels_[index]]
                                                : shades[LevelOf(count)];
    *out++ = colour.red;
    *out++ = colour.green;
    *out++ = colour.blue;
  }
}

}  // namespace procpool
