// `master spawn`: what a process costs, by every method to make one, stage by stage; how that
// depends on the size of the parent; and what is left of it in a pool.
#pragma once

#include "master/cli.h"

namespace procpool {

Subcommand SpawnCommandLine();

}  // namespace procpool
