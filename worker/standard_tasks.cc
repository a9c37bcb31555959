#include "worker/standard_tasks.h"

#include <string>

#include "common/pi_payload.h"
#include "common/produce_payload.h"
#include "common/rows_payload.h"
#include "worker/task_echo.h"
#include "worker/task_pi.h"
#include "worker/task_produce.h"
#include "worker/task_rows.h"

namespace procpool {

void AddStandardTasks(TaskRegistry& registry) {
  registry.Add("echo", MakeEchoTask);
  registry.Add(kPiTask, MakePiTask);
  registry.Add(kProduceTask, MakeProduceTask);
  registry.Add(std::string(kRowsTask), MakeRowsTask);
}

}  // namespace procpool
