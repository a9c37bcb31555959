// A grid of counts, coloured by a map (colormap.h). Points given up have kGivenUpColour.
//
// There is a palette where the map has at most 256 levels from the smallest count to the largest,
// one less where points were given up: always but for false-gray-8, and for grids that lack points.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "master/colormap.h"
#include "master/grid_view.h"
#include "master/picture.h"

namespace procpool {

class CountPicture : public Picture {
 public:
  /// The counts and the map, one of Colormaps(), outlive this object.
  CountPicture(const GridView& grid, const ColormapInfo& map);

  std::span<const Rgb> palette() const override { return palette_; }
  void Places(std::uint32_t line, std::span<std::uint8_t> places) const override;
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override;

 private:
  void MakePalette();
  Rgb ColourOf(std::int32_t count) const;
  std::uint8_t PlaceOf(std::int32_t count) const;

  GridView grid_;
  const ColormapInfo& map_;
  CountRange range_;
  std::vector<Rgb> palette_;
  // Of the counts -1, 0, 1, 2, ...; the places are there where the palette is.
  std::vector<Rgb> colours_;
  std::vector<std::uint8_t> places_;
};

}  // namespace procpool
