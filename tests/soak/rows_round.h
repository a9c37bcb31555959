// One round of a soak over the engine: a fractal of random size as rows, over a pool of random
// make, a few jobs one after the other while somebody kills workers; each grid is compared with a
// serial computation.
//
// Throws Violation.
#pragma once

#include "tests/soak/tally.h"
#include "tests/watchdog.h"

namespace procpool::soak {

void RowsRound(unsigned seed, Tally& tally, Watchdog& watchdog);

}  // namespace procpool::soak
