// Perceptual colour maps: equal steps along one look about equally large.
//
//   viridis, magma, inferno, plasma   N. Smith and S. van der Walt, 2015
//   cividis                           J. Nunez, C. Anderton and R. Renslow, "Optimizing colormaps
//                                     with consideration for color vision deficiency", 2018: looks
//                                     alike to those who do not tell red from green
//   twilight                          B. Bechtold, 2017: cyclic, its ends meet
//
// The maps were put into the public domain (CC0) by their authors as tables of 256 (twilight 510)
// colours. What is here are knots of our own, fitted to those tables: between knots at equal
// distances runs a Catmull-Rom spline in sRGB, which keeps within 1/255 of the tables in every
// channel; within 2/255 for plasma and cividis, whose tables have kinks.
#pragma once

#include <cstdint>
#include <span>

#include "master/picture.h"

namespace procpool {

class ColourRamp {
 public:
  enum class Ends { kApart, kMeet };

  /// knots: 0xRRGGBB, at least two, outlive the ramp. Under Ends::kMeet the first one is the last
  /// one too, and is not said again.
  constexpr ColourRamp(std::span<const std::uint32_t> knots, Ends ends)
      : knots_(knots), ends_(ends) {}

  /// t from 0 to 1; beyond: the end's colour.
  Rgb At(double t) const;
  bool IsCyclic() const { return ends_ == Ends::kMeet; }

 private:
  double Channel(std::size_t interval, double within, unsigned shift) const;
  double Knot(std::ptrdiff_t index, unsigned shift) const;

  std::span<const std::uint32_t> knots_;
  Ends ends_;
};

// Constants, which clang-tidy does not see where they are only declared.
// NOLINTBEGIN(readability-identifier-naming)
// From dark to light.
extern const ColourRamp kViridis;
extern const ColourRamp kMagma;
extern const ColourRamp kInferno;
extern const ColourRamp kPlasma;
extern const ColourRamp kCividis;
// From light over blue to dark, and over red back to light.
extern const ColourRamp kTwilight;
// NOLINTEND(readability-identifier-naming)

}  // namespace procpool
