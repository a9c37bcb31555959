// From counts to colours, by a map chosen by name.
//
// A map is a pure function of one count and of the range of all counts of the grid; where the point
// lies does not matter. Counts below zero (points given up) are drawn in magenta, which no map of
// the list gives to a count; in a gray picture, where there is no magenta, as black and white
// stripes.
//
// A new map is one function and one line in the table of colormap.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace procpool {

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  bool operator==(const Rgb&) const = default;
};

inline constexpr Rgb kGivenUpColour{255, 0, 255};
/// Width in pixels of the stripes that stand for points given up in a gray picture.
inline constexpr std::size_t kGivenUpStripe = 4;

/// Smallest and largest count of a grid, points given up left out (both 0 where nothing else is
/// left).
struct CountRange {
  std::int32_t min = 0;
  std::int32_t max = 0;
  bool given_up = false;  ///< whether there are any such points
  bool operator==(const CountRange&) const = default;
};
CountRange RangeOf(std::span<const std::int32_t> counts);

struct ColormapInfo {
  std::string_view name;
  std::string_view description;
  bool gray;  ///< red, green and blue are always equal: one byte per pixel is enough
  Rgb (*colour)(std::int32_t count, const CountRange& range);
};

/// All maps, in the order in which messages name them.
std::span<const ColormapInfo> Colormaps();
/// Throws Error{kUser} naming the maps that there are.
const ColormapInfo& FindColormap(std::string_view name);
/// "pure-gray, false-gray, ..."
std::string ColormapNames();

/// A map made ready for one grid.
class Colormap {
 public:
  /// `info` is one of Colormaps(), or outlives this object. The counts coloured later lie within
  /// `range`.
  Colormap(const ColormapInfo& info, const CountRange& range);

  /// Whether the map is a gray one, so that Gray() may be called.
  bool HasGray() const { return info_.gray; }
  /// Whether Gray() shows all that Colour() shows: a gray map, and no point was given up.
  bool IsGrayOnly() const { return info_.gray && !range_.given_up; }

  /// Three bytes per count: rgb.size() == 3 * counts.size().
  void Colour(std::span<const std::int32_t> counts, std::span<std::uint8_t> rgb) const;
  /// One byte per count: gray.size() == counts.size(). Gray maps only. `counts` is a whole row: the
  /// stripes begin at its first point.
  void Gray(std::span<const std::int32_t> counts, std::span<std::uint8_t> gray) const;

 private:
  Rgb At(std::int32_t count) const;

  const ColormapInfo& info_;
  CountRange range_;
  std::vector<Rgb> table_;  // the colours of counts 0, 1, 2, ...
};

}  // namespace procpool
