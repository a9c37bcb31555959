// The budget as a person reads it.
#pragma once

#include <string>

#include "master/budget.h"

namespace procpool {

/// Four lines: compute, handling, idle, unexplained, each in percent of workers x wall.
std::string ShortBudget(const Budget& budget);
/// Every part, in total and for each worker; the journey of the items; the master's own time.
std::string FullBudget(const Budget& budget);

struct JourneyQuantiles {
  double p50 = 0, p99 = 0, greatest = 0;  ///< nanoseconds
};
/// Of the items whose journey was kept; zeros if there are none.
JourneyQuantiles QuantilesOf(const Budget& budget, JourneyStage stage);

}  // namespace procpool
