// Whether this process is a worker: one that was started as such, or one that serves as such.
#pragma once

#include <string_view>

namespace procpool {

/// Whether that is what a worker is started with.
bool IsLaunchArgument(std::string_view argument);
/// Whether this process was started as a worker, by its command line.
bool IsLaunchedAsWorker();
/// Whether this process has begun to serve as a worker.
bool IsServing();
void BeginServing();

}  // namespace procpool
