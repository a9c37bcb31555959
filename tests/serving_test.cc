// Whether a process is a worker: told by its command line, and by what it does.
#include "common/serving.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "common/fork_server.h"
#include "common/launch.h"

namespace procpool {
namespace {

// What the children of this test do: they are this program again, with this set.
constexpr const char* kChild = "PROCPOOL_SERVING_TEST_CHILD";

// Exit codes of a child.
constexpr int kIsNoWorker = 40;
constexpr int kIsWorker = 41;
constexpr int kServesTooSoon = 42;
constexpr int kDoesNotServe = 43;

TEST(Serving, AChildOfTheTestsBelow) {
  if (std::getenv(kChild) == nullptr) return;  // the others start it
  if (IsServing()) ::_exit(kServesTooSoon);
  const bool launched = IsLaunchedAsWorker();
  BeginServing();
  if (!IsServing()) ::_exit(kDoesNotServe);
  if (IsLaunchedAsWorker() != launched) ::_exit(kDoesNotServe);
  ::_exit(launched ? kIsWorker : kIsNoWorker);
}

// Starts this program with these arguments; what its child then found.
int RunChild(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "unit_tests");
  arguments.emplace_back("--gtest_filter=Serving.AChildOfTheTestsBelow");
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(kChild, "1", 1);
    for (const char* part : {"GTEST_TOTAL_SHARDS", "GTEST_SHARD_INDEX"}) ::unsetenv(part);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Serving, WorkersAreToldByTheirFirstArgument) {
  EXPECT_EQ(RunChild({std::string(kLaunchOption) + "anything"}), kIsWorker);
  EXPECT_EQ(RunChild({std::string(kForkServerOption) + "17"}), kIsWorker);
  EXPECT_EQ(RunChild({}), kIsNoWorker);
  EXPECT_EQ(RunChild({"--launcher=x"}), kIsNoWorker);
  EXPECT_EQ(RunChild({"--verbose", std::string(kLaunchOption) + "x"}), kIsNoWorker)
      << "that may be anybody's own option";
}

TEST(Serving, WhatAWorkerIsStartedWith) {
  EXPECT_TRUE(IsLaunchArgument(std::string(kLaunchOption)));
  EXPECT_TRUE(IsLaunchArgument(std::string(kForkServerOption) + "1"));
  for (const char* other : {"", "-", "--", "--launch", "launch=", " --launch=", "--LAUNCH="}) {
    EXPECT_FALSE(IsLaunchArgument(other)) << other;
  }
}

TEST(Serving, ThisProgramIsNoWorker) {
  EXPECT_FALSE(IsLaunchedAsWorker());
  EXPECT_FALSE(IsServing());
}

}  // namespace
}  // namespace procpool
