// `master advise`: how many chunks should this job have?
//
// For each transport it learns what a chunk costs (calibration.h), predicts the wall time for every
// number of chunks worth a thought and every schedule, runs the best of each schedule beside the
// default, and says how the outcome compares with the prediction.
#pragma once

#include "master/cli.h"

namespace procpool {

Subcommand AdviseCommand();

}  // namespace procpool
