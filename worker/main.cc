// The worker program: offers the standard tasks to the master that started it.
#include "worker/standard_tasks.h"
#include "worker/worker_main.h"

int main(int argc, char** argv) {
  procpool::TaskRegistry registry;
  procpool::AddStandardTasks(registry);
  return procpool::WorkerMain(argc, argv, registry);
}
