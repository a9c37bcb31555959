// A pool whose workers misbehave on request, over each transport; nothing of it may be left behind.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <string>
#include <vector>

#include "common/log.h"
#include "master/worker_pool.h"
#include "tests/open_descriptors.h"
#include "tests/temporary_folder.h"

namespace procpool {

inline WorkerPoolOptions Options(const std::string& transport, std::size_t procs) {
  return {.procs = procs,
          .transport = transport,
          .worker_program = MISBEHAVING_WORKER,
          .log_level = "off"};
}

inline std::vector<std::string> Numbers(std::size_t count) {
  std::vector<std::string> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

class PoolTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    StartLog("test", "off");
    descriptors_ = OpenDescriptors();
  }
  // Whatever the test did, nothing may be left.
  void TearDown() override {
    EXPECT_EQ(OpenDescriptors(), descriptors_) << "descriptors leaked";
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child process is left";
    EXPECT_EQ(errno, ECHILD);
  }
  std::string NewPath() { return folder_.In(std::to_string(next_path_++)); }

  TemporaryFolder folder_;
  std::size_t descriptors_ = 0;
  int next_path_ = 0;
};

}  // namespace procpool
