#include "master/lab/laboratory.h"

namespace procpool {

std::vector<Subcommand> LaboratoryCommands() {
  return {};
}

}  // namespace procpool
