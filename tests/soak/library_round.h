// One round of a soak over the library: a pool of random make, several threads that call it at
// random, somebody who kills and stops its workers, and one of its ends.
//
// Throws Violation at the first answer that cannot be.
#pragma once

#include "tests/soak/tally.h"
#include "tests/watchdog.h"

namespace procpool::soak {

void LibraryRound(unsigned seed, Tally& tally, Watchdog& watchdog);

}  // namespace procpool::soak
