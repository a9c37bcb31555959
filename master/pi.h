// `master pi`: pi by throwing points at a circle. A second job for the same pool, which knows no
// more of it than of fractals: a name, bytes in, bytes out.
#pragma once

#include "master/cli.h"

namespace procpool {

Subcommand PiCommand();

}  // namespace procpool
