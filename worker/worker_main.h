// The main function of every worker program: decode the launch, tie this process' life to the
// master's, open the channel, serve the tasks. Started as a fork server it makes processes that do.
//
// Exit codes: 0 told to stop, or the master is gone; 1 anything else, with a line on standard
// error; 2 started by hand.
#pragma once

#include <procpool/detail/task_registry.h>

namespace procpool {

int WorkerMain(int argc, char** argv, const TaskRegistry& registry);

}  // namespace procpool
