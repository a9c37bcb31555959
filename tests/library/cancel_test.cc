// Cancelling: what waits never runs, what runs is killed, and nobody else loses anything.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

void WaitFor(const std::string& path, std::size_t bytes = 1) {
  while (!std::filesystem::exists(path) || std::filesystem::file_size(path) < bytes) {
    std::this_thread::yield();
  }
}

class CancelOver : public ::testing::TestWithParam<const char*> {
 protected:
  static PoolOptions One() { return {.workers = 1, .transport = GetParam()}; }
  TemporaryFolder folder;
};

TEST_P(CancelOver, ARunningCallIsKilled) {
  Pool pool(One());
  auto hanging = pool.apply_async(hang, folder.In("begun"));
  WaitFor(folder.In("begun"));
  EXPECT_TRUE(hanging.cancel());
  EXPECT_TRUE(hanging.ready());
  EXPECT_THROW(hanging.get(), Cancelled);
  EXPECT_EQ(pool.apply(square, 4), 16) << "by another worker";
}

// Two are at the worker already, further ones wait in the master.
TEST_P(CancelOver, ACallThatNoWorkerHasBegunNeverRuns) {
  Pool pool(One());
  auto blocker = pool.apply_async(wait_for_file, folder.In("blocking"), folder.In("go"));
  WaitFor(folder.In("blocking"));
  std::vector<Future<int>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(pool.apply_async(throw_until, folder.In("ran" + std::to_string(i)), 0));
  }
  for (auto& future : waiting) EXPECT_TRUE(future.cancel()) << "without waiting for the other call";
  std::ofstream{folder.In("go")};
  EXPECT_EQ(blocker.get(), 1) << "what runs is not disturbed";
  EXPECT_EQ(std::filesystem::file_size(folder.In("blocking")), 1U) << "nor begun again";
  EXPECT_EQ(pool.apply(square, 4), 16);
  for (int i = 0; i < 8; ++i)
    EXPECT_FALSE(std::filesystem::exists(folder.In("ran" + std::to_string(i))));
}

TEST_P(CancelOver, AMapIsCancelledWhole) {
  Pool pool({.workers = 2, .transport = GetParam()});
  auto hanging = pool.with({.chunk_size = 1})
                     .map_async(hang, std::vector<std::string>(50, folder.In("begun")));
  WaitFor(folder.In("begun"), 2);
  EXPECT_TRUE(hanging.cancel());
  EXPECT_THROW(hanging.get(), Cancelled);
  EXPECT_EQ(pool.map(square, std::vector{1, 2, 3}), (std::vector{1, 4, 9}));
  EXPECT_EQ(std::filesystem::file_size(folder.In("begun")), 2U);
}

TEST_P(CancelOver, WhatIsDoneCannotBeCancelled) {
  Pool pool(One());
  auto done = pool.apply_async(square, 3);
  done.wait();
  EXPECT_FALSE(done.cancel());
  EXPECT_EQ(done.get(), 9);
}

TEST_P(CancelOver, AChainIsCancelledToItsRoot) {
  Pool pool(One());
  auto chain = pool.apply_async(hang, folder.In("begun")).then([](int value) { return value; });
  WaitFor(folder.In("begun"));
  EXPECT_TRUE(chain.cancel());
  EXPECT_THROW(chain.get(), Cancelled);
  EXPECT_EQ(pool.apply(square, 4), 16);
  std::vector<Future<int>> several;
  several.push_back(pool.apply_async(hang, folder.In("first")));
  several.push_back(pool.apply_async(hang, folder.In("second")));
  auto all = when_all(std::move(several));
  WaitFor(folder.In("first"));
  EXPECT_TRUE(all.cancel());
  EXPECT_THROW(all.get(), Cancelled);
  EXPECT_EQ(pool.apply(square, 5), 25);
}

// The worker that is killed had calls of another caller behind the cancelled one.
TEST_P(CancelOver, CallsBehindACancelledOneAreNotLost) {
  Pool pool(One());
  auto hanging = pool.apply_async(hang, folder.In("begun"));
  WaitFor(folder.In("begun"));
  std::vector<Future<int>> others;
  for (int i = 0; i < 10; ++i) others.push_back(pool.apply_async(square, i));
  EXPECT_TRUE(hanging.cancel());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].get(), i * i);
}

TEST_P(CancelOver, CancellingAndFinishingRace) {
  Pool pool({.workers = 2, .transport = GetParam()});
  int cancelled = 0;
  for (int i = 0; i < 300; ++i) {
    auto racing = pool.apply_async(square, i);
    if (i % 3 != 0) std::this_thread::sleep_for(std::chrono::microseconds(i % 50));
    if (racing.cancel()) {
      ++cancelled;
      EXPECT_THROW(racing.get(), Cancelled);
    } else {
      EXPECT_EQ(racing.get(), i * i);
    }
  }
  EXPECT_EQ(pool.apply(square, 7), 49) << cancelled << " of 300 were cancelled";
}

INSTANTIATE_TEST_SUITE_P(Transports, CancelOver, ::testing::Values("shm", "pipe", "queue"),
                         [](const auto& transport) { return std::string(transport.param); });

}  // namespace
}  // namespace procpool::tests
