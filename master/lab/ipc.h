// `master ipc`: what it costs to bring bytes from one process to another, for each transport and
// for the raw primitives below it, in the same run.
#pragma once

#include "master/cli.h"

namespace procpool {

Subcommand IpcCommand();

}  // namespace procpool
