// `master kernels`: the kernels side by side, on one CPU, without any pool: steps a second, and how
// near that comes to what the CPU can do.
#pragma once

#include "master/cli.h"

namespace procpool {

Subcommand KernelsCommand();

}  // namespace procpool
