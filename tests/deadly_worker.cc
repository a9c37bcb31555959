// A worker program for `master` some of whose rows kill it: those that the environment variable
// DEADLY_ROWS names ("die 3 17", see DeadlyRows).
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include <procpool/detail/task_registry.h>
#include "common/rows_payload.h"
#include "tests/deadly_tasks.h"
#include "worker/worker_main.h"

int main(int argc, char** argv) {
  const char* const words = std::getenv("DEADLY_ROWS");
  procpool::TaskRegistry registry;
  registry.Add(std::string(procpool::kRowsTask), [words](std::span<const std::byte> context) {
    return std::make_unique<procpool::DeadlyRows>(context, words == nullptr ? "" : words);
  });
  return procpool::WorkerMain(argc, argv, registry);
}
