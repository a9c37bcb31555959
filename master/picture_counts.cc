#include "master/picture_counts.h"

#include <algorithm>

namespace procpool {
namespace {

/// Counts below this are looked up. Above it (limits of iterations that large are rare) they are
/// computed for each point, so that the tables stay in the cache and cost nothing beside the grid.
constexpr std::int32_t kTableLimit = 1 << 16;

constexpr std::uint32_t kMostColours = 256;

/// Where the tables have a count: -1 comes first.
std::size_t IndexOf(std::int32_t count) {
  return std::size_t{static_cast<std::uint32_t>(count) + 1U};
}

}  // namespace

CountPicture::CountPicture(const GridView& grid, const ColormapInfo& map)
    : Picture(grid.width, grid.height), grid_(grid), map_(map), range_(RangeOf(grid.counts)) {
  MakePalette();
  const std::int32_t end = std::min(range_.max, kTableLimit - 1) + 1;
  for (std::int32_t count = -1; count < end; ++count) {
    colours_.push_back(ColourOf(count));
    if (!palette_.empty()) places_.push_back(PlaceOf(count));
  }
}

void CountPicture::MakePalette() {
  const std::uint32_t first = map_.level(range_.min, range_);
  const std::uint32_t last = map_.level(range_.max, range_);
  if (last - first >= kMostColours - (range_.given_up ? 1U : 0U)) return;
  for (std::uint32_t level = first; level <= last; ++level) palette_.push_back(map_.colour(level));
  if (range_.given_up) palette_.push_back(kGivenUpColour);
}

Rgb CountPicture::ColourOf(std::int32_t count) const {
  return count < 0 ? kGivenUpColour : map_.colour(map_.level(count, range_));
}

std::uint8_t CountPicture::PlaceOf(std::int32_t count) const {
  if (count < 0) return static_cast<std::uint8_t>(palette_.size() - 1);
  // The tables begin with counts that do not occur.
  const std::int32_t within = std::max(count, range_.min);
  return static_cast<std::uint8_t>(map_.level(within, range_) - map_.level(range_.min, range_));
}

void CountPicture::Places(std::uint32_t line, std::span<std::uint8_t> places) const {
  const std::span<const std::int32_t> counts = grid_.PictureLine(line);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t index = IndexOf(counts[i]);
    places[i] = index < places_.size() ? places_[index] : PlaceOf(counts[i]);
  }
}

void CountPicture::Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const {
  std::uint8_t* out = rgb.data();
  for (const std::int32_t count : grid_.PictureLine(line)) {
    const std::size_t index = IndexOf(count);
    const Rgb colour = index < colours_.size() ? colours_[index] : ColourOf(count);
    *out++ = colour.red;
    *out++ = colour.green;
    *out++ = colour.blue;
  }
}

}  // namespace procpool
