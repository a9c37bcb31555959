// The picture that a run's options ask for.
#pragma once

#include <memory>

#include "master/grid_view.h"
#include "master/picture.h"
#include "master/run.h"

namespace procpool {

/// Valid as long as the result.
GridView GridOf(const RunSetup& setup, const RunResult& result);
std::unique_ptr<Picture> MakePicture(const RunSetup& setup, const RunResult& result);

}  // namespace procpool
