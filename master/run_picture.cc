#include "master/run_picture.h"

#include "master/colormap.h"
#include "master/picture_counts.h"

namespace procpool {

GridView GridOf(const RunSetup& setup, const RunResult& result) {
  const Fractal& fractal = setup.workload.fractal;
  return {result.grid.as<const std::int32_t>(), fractal.Width(), fractal.Height(),
          setup.workload.origin_lower};
}

std::unique_ptr<Picture> MakePicture(const RunSetup& setup, const RunResult& result) {
  return std::make_unique<CountPicture>(GridOf(setup, result),
                                        FindColormap(setup.options.colormap));
}

}  // namespace procpool
