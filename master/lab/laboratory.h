// The laboratory: the commands of `master` that measure instead of computing one job; and `pi`,
// which computes another.
#pragma once

#include <vector>

#include "master/cli.h"

namespace procpool {

/// Every command of the laboratory; the one list of them.
std::vector<Subcommand> LaboratoryCommands();

}  // namespace procpool
