#include "master/colormap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <procpool/error.h>
namespace procpool {
namespace {

/// n/max in 0..255, rounded down as the book does: int(n / max * 255), in double precision.
std::uint32_t Scaled(std::int32_t count, const CountRange& range) {
  if (range.max <= 0) return 0;
  return static_cast<std::uint32_t>(static_cast<double>(count) / range.max * 255);
}

std::uint32_t AsItIs(std::int32_t count, const CountRange& /*range*/) {
  return static_cast<std::uint32_t>(count);
}

/// The workshop shows n^(1/3), and its plotting library stretches smallest..largest over the whole
/// ramp.
std::uint32_t CubeRoot(std::int32_t count, const CountRange& range) {
  const double low = std::cbrt(range.min);
  const double extent = std::cbrt(range.max) - low;
  const double t = extent > 0 ? (std::cbrt(count) - low) / extent : 0;
  return static_cast<std::uint32_t>(std::lround(std::clamp(t, 0.0, 1.0) * 255));
}

Rgb Gray(std::uint32_t level) {
  const auto byte = static_cast<std::uint8_t>(level);
  return {byte, byte, byte};
}

/// The documents write the number (n + 256 n + 65536 n) * factor into 32 bits, little-endian, and
/// have the bytes read as red, green, blue, unused. The carries from byte to byte are what gives
/// the false gray its colours.
Rgb Spread(std::uint32_t level, std::uint32_t factor) {
  const std::uint32_t packed = (level + 256U * level + 65536U * level) * factor;
  return {static_cast<std::uint8_t>(packed), static_cast<std::uint8_t>(packed >> 8U),
          static_cast<std::uint8_t>(packed >> 16U)};
}

/// High Performance Python, chapter 2, whose levels are 0..255.
Rgb SpreadBy16(std::uint32_t level) {
  return Spread(level, 16);
}

/// The EuroPython tutorial, whose levels are the counts.
Rgb SpreadBy8(std::uint32_t level) {
  return Spread(level, 8);
}

/// The workshop's plotting library (matplotlib) takes viridis where nothing else is said.
Rgb Viridis(std::uint32_t level) {
  return kViridis.At(level / 255.0);
}

constexpr ColormapInfo OfCounts(std::string_view name, std::string_view description, bool gray,
                                std::uint32_t (*level)(std::int32_t, const CountRange&),
                                Rgb (*colour)(std::uint32_t)) {
  return {name, description, gray, ColourSource::kCounts, level, colour};
}

constexpr ColormapInfo Smooth(std::string_view name, std::string_view description,
                              const ColourRamp& ramp) {
  return {name, description, false, ColourSource::kSmoothValues, nullptr, nullptr, &ramp};
}

constexpr std::array kColormaps = {
    OfCounts("pure-gray", "n/max as 256 grays", true, Scaled, Gray),
    OfCounts("false-gray", "n/max, times 16, spread over red, green and blue", false, Scaled,
             SpreadBy16),
    OfCounts("false-gray-8", "n itself, times 8, spread over red, green and blue", false, AsItIs,
             SpreadBy8),
    OfCounts("power", "the cube root of n, from violet to yellow", false, CubeRoot, Viridis),
    Smooth("viridis", "smooth, from violet over green to yellow", kViridis),
    Smooth("magma", "smooth, from black over red to pale yellow", kMagma),
    Smooth("inferno", "smooth, from black over orange to yellow", kInferno),
    Smooth("plasma", "smooth, from blue over red to yellow", kPlasma),
    Smooth("cividis", "smooth, from blue to yellow, for every kind of colour vision", kCividis),
    Smooth("twilight", "smooth, twice round from light over blue, black and red", kTwilight),
    ColormapInfo{"workers", "who computed what, and when", false, ColourSource::kWorkers, nullptr,
                 nullptr},
};

}  // namespace

CountRange RangeOf(std::span<const std::int32_t> counts) {
  // Read as unsigned, the counts below zero are the largest: no branch is needed to leave them out
  // of the minimum.
  std::uint32_t smallest = std::numeric_limits<std::uint32_t>::max();
  std::int32_t lowest = 0;
  std::int32_t largest = 0;
  for (const std::int32_t count : counts) {
    smallest = std::min(smallest, static_cast<std::uint32_t>(count));
    lowest = std::min(lowest, count);
    largest = std::max(largest, count);
  }
  const bool any = smallest <= static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  return {any ? static_cast<std::int32_t>(smallest) : 0, largest, lowest < 0};
}

std::span<const ColormapInfo> Colormaps() {
  return kColormaps;
}

const ColormapInfo& FindColormap(std::string_view name) {
  for (const ColormapInfo& info : kColormaps)
    if (info.name == name) return info;
  throw Error(Blame::kUser, {"use", "colormap '" + std::string(name) + "'", "there is no such map",
                             "choose one of " + ColormapNames()});
}

std::string ColormapNames() {
  std::string names;
  for (const ColormapInfo& info : kColormaps)
    names.append(names.empty() ? "" : ", ").append(info.name);
  return names;
}

}  // namespace procpool
