// Calls made one by one: they travel together, in the order in which they were made, and none waits
// for another one's result.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <cereal/types/vector.hpp>

#include <procpool/cereal.h>
#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

void WaitFor(const std::string& path) {
  while (!std::filesystem::exists(path)) std::this_thread::yield();
}

class CallsOver : public ::testing::TestWithParam<const char*> {
 protected:
  static PoolOptions One() { return {.workers = 1, .transport = GetParam()}; }
  TemporaryFolder folder;
};

TEST_P(CallsOver, ManyAtOnceAreEachAnsweredOnce) {
  Pool pool({.workers = 2, .transport = GetParam()});
  std::vector<Future<int>> squares;
  std::vector<Future<std::string>> shouts;
  for (int i = 0; i < 5000; ++i) {
    squares.push_back(pool.apply_async(square, i));
    if (i % 3 == 0) shouts.push_back(pool.apply_async(shout, std::to_string(i) + "a"));
  }
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)].get(), i * i);
  for (std::size_t i = 0; i < shouts.size(); ++i)
    EXPECT_EQ(shouts[i].get(), std::to_string(3 * i) + "A");
}

// The one that takes long is behind many that were answered in no time.
TEST_P(CallsOver, NoResultWaitsForACallBehindIt) {
  Pool pool(One());
  for (int round = 0; round < 5; ++round) {
    const std::string begun = folder.In("begun" + std::to_string(round));
    const std::string go = folder.In("go" + std::to_string(round));
    std::vector<Future<int>> quick;
    for (int i = 0; i < 300; ++i) quick.push_back(pool.apply_async(square, i));
    auto slow = pool.apply_async(wait_for_file, begun, go);
    auto mapped = pool.with({.chunk_size = 1}).map_async(square, std::views::iota(0, 300));
    for (auto& future : quick) future.wait();
    EXPECT_FALSE(slow.ready());
    std::ofstream{go};
    EXPECT_EQ(slow.get(), 1);
    // Results of a map may wait for one another, but for nothing else.
    auto slower = pool.apply_async(wait_for_file, begun + "2", go + "2");
    mapped.wait();
    std::ofstream{go + "2"};
    EXPECT_EQ(slower.get(), 1);
  }
}

// What is made after a map is not begun before it.
TEST_P(CallsOver, CallsAndMapsAreBegunInTheOrderInWhichTheyWereMade) {
  Pool pool(One());
  auto blocker = pool.apply_async(wait_for_file, folder.In("blocking"), folder.In("go"));
  WaitFor(folder.In("blocking"));
  std::vector<Future<int>> before;
  for (int i = 0; i < 5; ++i) {
    before.push_back(pool.apply_async(throw_until, folder.In("before" + std::to_string(i)), 0));
  }
  auto map = pool.map_async(wait_or_make,
                            std::vector<std::string>{"+" + folder.In("map"), folder.In("go on")});
  std::vector<Future<int>> after;
  for (int i = 0; i < 5; ++i) {
    after.push_back(pool.apply_async(throw_until, folder.In("after" + std::to_string(i)), 0));
  }
  std::ofstream{folder.In("go")};
  WaitFor(folder.In("map"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(std::filesystem::exists(folder.In("before" + std::to_string(i))));
    EXPECT_FALSE(std::filesystem::exists(folder.In("after" + std::to_string(i))));
  }
  std::ofstream{folder.In("go on")};
  for (auto& future : before) future.get();
  for (auto& future : after) future.get();
  EXPECT_EQ(map.get(), (std::vector<int>{2, 1}));
}

TEST_P(CallsOver, ACallIsCancelledAmongOthersOfItsKind) {
  Pool pool({.workers = 2, .transport = GetParam()});
  std::vector<Future<int>> calls;
  for (int i = 0; i < 40; ++i) {
    if (i == 20) calls.push_back(pool.apply_async(wait_if_named, folder.In("never")));
    calls.push_back(pool.apply_async(wait_if_named, std::string()));
  }
  EXPECT_TRUE(calls[20].cancel());
  EXPECT_THROW(calls[20].get(), Cancelled);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (i != 20) {
      EXPECT_EQ(calls[i].get(), 0) << i;
    }
  }
}

TEST_P(CallsOver, ACallIsCancelledThoughAMapWasMadeBehindIt) {
  Pool pool(One());
  auto blocker = pool.apply_async(wait_for_file, folder.In("blocking"), folder.In("go"));
  WaitFor(folder.In("blocking"));
  std::vector<Future<int>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(pool.apply_async(square, i));
  auto map = pool.map_async(square, std::vector{1, 2, 3});
  EXPECT_TRUE(calls[3].cancel());
  std::ofstream{folder.In("go")};
  EXPECT_EQ(map.get(), (std::vector{1, 4, 9}));
  for (int i : {0, 1, 2, 4}) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get(), i * i);
}

TEST_P(CallsOver, AnArgumentThatCannotBeWrittenIsTheErrorOfItsCallAlone) {
  Pool pool({.workers = 2, .transport = GetParam()});
  std::vector<Picky> values(20);
  for (int i = 0; i < 20; ++i) values[static_cast<std::size_t>(i)].value = i;
  values[7].value = Picky::kUnwritable;
  std::vector<Future<int>> calls;
  for (const Picky& value : values) calls.push_back(pool.apply_async(value_of, value));
  for (const std::size_t chunk : {1, 3, 20}) {
    auto results = pool.with({.chunk_size = chunk}).imap(value_of, values);
    for (int i = 0; i < 20; ++i) {
      if (i == 7) {
        EXPECT_THROW(results.next(), std::domain_error);
      } else {
        EXPECT_EQ(results.next(), i);
      }
    }
    EXPECT_THROW(pool.with({.chunk_size = chunk}).map(value_of, values), std::domain_error);
  }
  for (int i = 0; i < 20; ++i) {
    if (i == 7) {
      EXPECT_THROW(calls[7].get(), std::domain_error);
    } else {
      EXPECT_EQ(calls[static_cast<std::size_t>(i)].get(), i);
    }
  }
}

// More than a line may have behind a call that takes long.
TEST_P(CallsOver, ACallThatTakesLongKeepsNoOtherBack) {
  Pool pool({.workers = 2, .transport = GetParam()});
  auto slow = pool.apply_async(wait_if_named, folder.In("go"));
  for (int round = 0; round < 70; ++round) {
    std::vector<Future<int>> quick;
    for (int i = 0; i < 1000; ++i) quick.push_back(pool.apply_async(wait_if_named, std::string()));
    for (auto& future : quick) ASSERT_EQ(future.get(), 0);
  }
  EXPECT_FALSE(slow.ready());
  std::ofstream{folder.In("go")};
  EXPECT_EQ(slow.get(), 1);
}

// Each of them would be tried again for ever.
TEST_P(CallsOver, ACancelledCallIsNotTriedAgain) {
  Pool pool({.workers = 1, .transport = GetParam(), .defaults = {.retries = 1'000'000}});
  for (int i = 0; i < 3; ++i) {
    auto dying = pool.apply_async(die_until, folder.In("died" + std::to_string(i)), 1'000'000);
    WaitFor(folder.In("died" + std::to_string(i)));
    dying.cancel();
    EXPECT_TRUE(dying.ready());
    EXPECT_ANY_THROW(dying.get());
  }
  EXPECT_EQ(pool.apply(square, 4), 16);
}

// A line for each task and its options: more of them than are kept open.
TEST_P(CallsOver, ManyKindsOfCallsSideBySide) {
  Pool pool({.workers = 2, .transport = GetParam()});
  std::vector<Future<int>> futures;
  for (int round = 0; round < 3; ++round) {
    for (int kind = 1; kind <= 40; ++kind) {
      futures.push_back(
          pool.with({.timeout = std::chrono::seconds(100 + kind)}).apply_async(square, kind));
    }
  }
  for (std::size_t i = 0; i < futures.size(); ++i) {
    const int kind = static_cast<int>(i % 40) + 1;
    EXPECT_EQ(futures[i].get(), kind * kind);
  }
}

TEST_P(CallsOver, TheyLastAsLongAsThePool) {
  Pool pool(One());
  std::vector<Future<int>> calls;
  auto blocker = pool.apply_async(wait_for_file, folder.In("blocking"), folder.In("go"));
  for (int i = 0; i < 100; ++i) calls.push_back(pool.apply_async(square, i));
  pool.close();
  EXPECT_FALSE(pool.join_for(std::chrono::milliseconds(1)));
  std::ofstream{folder.In("go")};
  pool.join();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get(), i * i);
  EXPECT_THROW(pool.apply(square, 1), PoolClosed);
}

TEST_P(CallsOver, TerminateCancelsAllOfThem) {
  Pool pool(One());
  auto blocker = pool.apply_async(wait_for_file, folder.In("blocking"), folder.In("go"));
  WaitFor(folder.In("blocking"));
  std::vector<Future<int>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(pool.apply_async(square, i));
  pool.terminate();
  EXPECT_THROW(blocker.get(), Cancelled);
  for (auto& call : calls) EXPECT_THROW(call.get(), Cancelled);
}

INSTANTIATE_TEST_SUITE_P(Transports, CallsOver, ::testing::Values("shm", "pipe", "queue"),
                         [](const auto& transport) { return transport.param; });

}  // namespace
}  // namespace procpool::tests
