// The maps that make a picture of a grid, by name.
//
// Most colour counts. Such a map is a pure function of one count and of the range of all counts of
// the grid; where the point lies does not matter. It has two steps: a level, which grows with the
// count and of which most maps have 256, and the level's colour. No map of the list gives
// kGivenUpColour to a count.
//
// Others colour smooth values (picture_smooth.h) by a ramp, or who computed what
// (picture_workers.h); run_picture.cc makes the picture that a map is for.
//
// A new map of counts is its two functions and one line in the table of colormap.cc, a new ramp is
// its knots in colour_ramps.cc and one line there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "master/colour_ramps.h"
#include "master/picture.h"

namespace procpool {

/// Smallest and largest count of a grid, points given up left out (both 0 where nothing else is
/// left).
struct CountRange {
  std::int32_t min = 0;
  std::int32_t max = 0;
  bool given_up = false;  ///< whether there are any such points
  bool operator==(const CountRange&) const = default;
};
CountRange RangeOf(std::span<const std::int32_t> counts);

/// What a map gives a colour to.
enum class ColourSource { kCounts, kSmoothValues, kWorkers };

struct ColormapInfo {
  std::string_view name;
  std::string_view description;
  bool gray;  ///< red, green and blue are always equal: one byte per pixel is enough
  ColourSource source;
  /// kCounts: of a count within the range, which is not below zero; never less for a larger count.
  std::uint32_t (*level)(std::int32_t count, const CountRange& range);
  Rgb (*colour)(std::uint32_t level);
  const ColourRamp* ramp = nullptr;  ///< kSmoothValues
};

/// All maps, in the order in which messages name them.
std::span<const ColormapInfo> Colormaps();
/// Throws Error{kUser} naming the maps that there are.
const ColormapInfo& FindColormap(std::string_view name);
/// "pure-gray, false-gray, ..."
std::string ColormapNames();

}  // namespace procpool
