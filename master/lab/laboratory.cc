#include "master/lab/laboratory.h"

#include "master/lab/advise.h"
#include "master/lab/compare.h"
#include "master/lab/ipc.h"
#include "master/lab/kernels.h"
#include "master/lab/spawn.h"
#include "master/pi.h"

namespace procpool {

std::vector<Subcommand> LaboratoryCommands() {
  return {CompareCommand(), AdviseCommand(),    IpcCommand(),
          KernelsCommand(), SpawnCommandLine(), PiCommand()};
}

}  // namespace procpool
