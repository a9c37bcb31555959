#include "master/lab/laboratory.h"

#include "master/lab/spawn.h"

namespace procpool {

std::vector<Subcommand> LaboratoryCommands() {
  return {SpawnCommandLine()};
}

}  // namespace procpool
