#include "master/lab/laboratory.h"

#include "master/lab/ipc.h"

namespace procpool {

std::vector<Subcommand> LaboratoryCommands() {
  return {IpcCommand()};
}

}  // namespace procpool
