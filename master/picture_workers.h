// Who computed what, and when: a hue for each worker, from dark to light as the run goes on.
//
// Each row has its chunk's worker; within a chunk the time of a row is taken to lie evenly between
// the chunk's begin and end, and the range from the first begin to the last end is the range of
// lightness. Without times (--times off) the order in which the chunks were done is what counts. A
// dark line parts chunks of at least 6 rows. Larger counts lighten a point a little: the fractal
// shows, and so where the work is. Points given up have kGivenUpColour, rows that nobody has done
// are gray.
//
// Hues are evenly spaced in Oklch: as many as there are workers, at most 12. From the 13th worker
// on the hues come again, paler, and from the 25th on the colours themselves.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "master/colormap.h"
#include "master/grid_view.h"
#include "master/picture.h"
#include "master/rows_placement.h"

namespace procpool {

class WorkersPicture : public Picture {
 public:
  /// The counts and the placements, which are in order of rows, outlive this object. `workers`: how
  /// many slots there are; those of the placements are below it.
  WorkersPicture(const GridView& grid, std::span<const RowsPlacement> placements,
                 std::size_t workers);

  std::span<const Rgb> palette() const override { return {}; }
  void Places(std::uint32_t line, std::span<std::uint8_t> places) const override;
  void Colours(std::uint32_t line, std::span<std::uint8_t> rgb) const override;

 private:
  const RowsPlacement* PlacementOf(std::uint32_t row) const;
  double TimeOf(const RowsPlacement& placement, std::uint32_t row) const;
  bool IsParting(const RowsPlacement& placement, std::uint32_t row) const;
  std::vector<Rgb> ShadesOf(std::uint32_t row) const;
  std::size_t LevelOf(std::int32_t count) const;

  GridView grid_;
  std::span<const RowsPlacement> placements_;
  std::size_t workers_;
  CountRange range_;
  bool timed_ = false;
  double first_ = 0;  // begin, or order
  double last_ = 1;
  std::vector<std::uint8_t> levels_;  // of the counts 0, 1, 2, ...
};

}  // namespace procpool
