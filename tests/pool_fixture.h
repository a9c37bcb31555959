// A pool whose workers misbehave on request, over each transport; nothing of it may be left behind.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "common/log.h"
#include "master/worker_pool.h"
#include "tests/nothing_left.h"
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
    before_.emplace(NothingLeft::Names::kNotWatched);
  }
  // Whatever the test did.
  void TearDown() override { EXPECT_EQ(before_->WhatIsLeft(), ""); }
  std::string NewPath() { return folder_.In(std::to_string(next_path_++)); }

  TemporaryFolder folder_;
  std::optional<NothingLeft> before_;
  int next_path_ = 0;
};

}  // namespace procpool
