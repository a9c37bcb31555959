// A fractal in smooth colours: a ramp (colour_ramps.h) over the smooth values (smooth_values.h),
// computed line by line when they are asked for, so nothing of the size of the grid is stored and
// who asks for several lines at a time has them computed at a time. The counts say which points
// never escape, which are black, and which were given up, which have kGivenUpColour.
//
// Which value gets which colour follows from the values of evenly spaced rows. By rank alone (each
// colour covers the same area) a picture uses all of the ramp whatever window and limit, but what
// grows fast beside the set becomes one colour; by the logarithm alone wide plains do. A colour's
// place on the ramp is two thirds of the rank and one third of the logarithm of nu - least nu. A
// cyclic ramp is gone through twice.
//
// Palette: the ramp's colours, black, kGivenUpColour.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/fractal.h"
#include "master/colour_ramps.h"
#include "master/grid_view.h"
#include "master/picture.h"
#include "master/smooth_values.h"

namespace procpool {

class SmoothPicture : public Picture {
 public:
  /// The counts outlive this object; `grid` is the fractal's. Computes some rows; where that is
  /// interrupted (attendant.h), the picture is a picture, but not the right one.
  SmoothPicture(const GridView& grid, const Fractal& fractal, const ColourRamp& ramp);

  std::span<const Rgb> palette() const override { return palette_; }
  void Places(std::uint32_t line, std::span<std::uint8_t> places) const override;
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override;

 private:
  std::vector<float> SampleOutside() const;
  void FindThresholds();

  GridView grid_;
  SmoothValues values_;
  std::vector<Rgb> palette_;
  std::vector<float> thresholds_;  // the value from which on the ramp's next colour is
};

}  // namespace procpool
