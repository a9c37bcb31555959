#include <cstdlib>

#include <procpool/detail/task_registry.h>
#include <procpool/worker.h>
#include "common/serving.h"
#include "worker/worker_main.h"

namespace procpool {

int worker_main(int argc, char** argv) {
  return WorkerMain(argc, argv, TaskRegistry::OfThisProgram());
}

void worker_main_if_asked(int argc, char** argv) {
  if (argc == 2 && IsLaunchArgument(argv[1])) std::exit(worker_main(argc, argv));
}

}  // namespace procpool
