#include "common/serving.h"

#include <atomic>
#include <fstream>
#include <string>

#include "common/fork_server.h"
#include "common/launch.h"

namespace procpool {
namespace {

std::atomic<bool> serving{false};

}  // namespace

bool IsLaunchArgument(std::string_view argument) {
  return argument.starts_with(kLaunchOption) || argument.starts_with(kForkServerOption);
}

bool IsLaunchedAsWorker() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string program;
  std::string argument;
  return std::getline(file, program, '\0') && std::getline(file, argument, '\0') &&
         IsLaunchArgument(argument);
}

bool IsServing() {
  return serving;
}

void BeginServing() {
  serving = true;
}

}  // namespace procpool
