#include "master/run_picture.h"

#include "master/colormap.h"
#include "master/picture_counts.h"
#include "master/picture_smooth.h"
#include "master/picture_workers.h"

namespace procpool {

GridView GridOf(const RunSetup& setup, const RunResult& result) {
  const Fractal& fractal = setup.workload.fractal;
  return {result.grid.as<const std::int32_t>(), fractal.Width(), fractal.Height(),
          setup.workload.origin_lower};
}

std::unique_ptr<Picture> MakePicture(const RunSetup& setup, const RunResult& result) {
  const GridView grid = GridOf(setup, result);
  const ColormapInfo& map = FindColormap(setup.options.colormap);
  switch (map.source) {
    case ColourSource::kSmoothValues:
      return std::make_unique<SmoothPicture>(grid, setup.workload.fractal, *map.ramp);
    case ColourSource::kWorkers:
      return std::make_unique<WorkersPicture>(grid, result.placements, setup.options.procs);
    case ColourSource::kCounts:
      break;
  }
  return std::make_unique<CountPicture>(grid, map);
}

}  // namespace procpool
