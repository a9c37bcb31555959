#include "master/lab/laboratory.h"

#include "master/lab/compare.h"

namespace procpool {

std::vector<Subcommand> LaboratoryCommands() {
  return {CompareCommand()};
}

}  // namespace procpool
