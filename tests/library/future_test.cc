// Futures: waiting, continuations, and what is made of several.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

TEST(Futures, WaitForSaysWhetherTheResultIsThere) {
  Pool pool({.workers = 1});
  TemporaryFolder folder;
  auto waiting = pool.apply_async(wait_if_named, folder.In("go"));
  EXPECT_FALSE(waiting.ready());
  EXPECT_FALSE(waiting.wait_for(std::chrono::milliseconds(20)));
  EXPECT_FALSE(waiting.wait_until(std::chrono::system_clock::now()));
  std::ofstream{folder.In("go")};
  EXPECT_TRUE(waiting.wait_for(std::chrono::hours::max())) << "longer than there are clocks for";
  EXPECT_TRUE(waiting.ready());
  waiting.wait();
  EXPECT_TRUE(waiting.wait_for(std::chrono::seconds(0)));
  EXPECT_TRUE(waiting.wait_for(std::chrono::hours(-1)));
  EXPECT_EQ(waiting.get(), 1);
  EXPECT_FALSE(waiting.valid()) << "a result is taken once";
  EXPECT_THROW(waiting.get(), std::logic_error);
  EXPECT_THROW(Future<int>().wait(), std::logic_error);
}

TEST(Futures, ContinuationsMakeAChain) {
  Pool pool({.workers = 2});
  auto chain = pool.apply_async(square, 3)
                   .then([](int value) { return std::to_string(value); })
                   .then([](const std::string& text) { return text + "!"; });
  EXPECT_EQ(chain.get(), "9!");
  std::atomic<bool> seen = false;
  pool.apply_async(nothing, 1).then([&] { seen = true; }).get();
  EXPECT_TRUE(seen);
  EXPECT_EQ(pool.map_async(square, std::vector{1, 2})
                .then([](const std::vector<int>& values) { return values.size(); })
                .get(),
            2U);
}

TEST(Futures, AnErrorPassesContinuationsBy) {
  Pool pool({.workers = 2});
  bool called = false;
  auto chain = pool.apply_async(even_only, 3).then([&](int value) {
    called = true;
    return value;
  });
  EXPECT_THROW(chain.get(), TaskFailed);
  EXPECT_FALSE(called);
  auto thrown =
      pool.apply_async(square, 3).then([](int) -> int { throw std::range_error("too much"); });
  EXPECT_THROW(thrown.get(), std::range_error);
}

// multiprocessing's callback and error_callback.
TEST(Futures, CallbacksGetTheValueOrTheError) {
  Pool pool({.workers = 2});
  std::promise<int> value;
  std::promise<std::string> error;
  auto good = pool.apply_async(square, 5);
  good.on_value([&](int got) { value.set_value(got); }).on_error([&](const std::exception_ptr&) {
    error.set_value("of the good one");
  });
  EXPECT_EQ(value.get_future().get(), 25);
  EXPECT_EQ(good.get(), 25) << "a callback leaves the value";
  auto bad = pool.apply_async(even_only, 5);
  bad.on_value([&](int) { error.set_value("a value of the bad one"); })
      .on_error([&](const std::exception_ptr& thrown) {
        try {
          std::rethrow_exception(thrown);
        } catch (const TaskFailed& failed) {
          error.set_value(failed.text());
        }
      });
  EXPECT_EQ(error.get_future().get(), "odd 5");
}

TEST(Futures, AContinuationMayUseThePool) {
  Pool pool({.workers = 1});
  EXPECT_EQ(pool.apply_async(square, 3).then([&](int x) { return pool.apply(square, x); }).get(),
            81);
}

TEST(Futures, WhenAllGathersInOrder) {
  Pool pool({.workers = 2});
  std::vector<Future<int>> futures;
  for (int i = 0; i < 20; ++i) futures.push_back(pool.apply_async(square, i));
  const std::vector<int> values = when_all(std::move(futures)).get();
  ASSERT_EQ(values.size(), 20U);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i * i);
  EXPECT_TRUE(when_all(std::vector<Future<int>>()).get().empty());
}

TEST(Futures, WhenAllThrowsOnceAllAreDone) {
  Pool pool({.workers = 2});
  TemporaryFolder folder;
  std::vector<Future<int>> futures;
  futures.push_back(pool.apply_async(even_only, 1));
  futures.push_back(pool.apply_async(wait_if_named, folder.In("go")));
  auto all = when_all(std::move(futures));
  EXPECT_FALSE(all.wait_for(std::chrono::milliseconds(20)));
  std::ofstream{folder.In("go")};
  EXPECT_THROW(all.get(), TaskFailed);
}

TEST(Futures, WhenAnyIsTheFirst) {
  Pool pool({.workers = 2});
  TemporaryFolder folder;
  std::vector<Future<int>> futures;
  futures.push_back(pool.apply_async(wait_if_named, folder.In("go")));
  futures.push_back(pool.apply_async(square, 6));
  const FirstReady<int> first = when_any(std::move(futures)).get();
  EXPECT_EQ(first.index, 1U);
  EXPECT_EQ(first.value, 36);
  std::ofstream{folder.In("go")};
  EXPECT_THROW(when_any(std::vector<Future<int>>()), std::logic_error);
}

TEST(Futures, AnAsyncCallKeepsWhatItWasGiven) {
  Pool pool({.workers = 1});
  TemporaryFolder folder;
  auto blocker = pool.apply_async(wait_if_named, folder.In("go"));
  Future<std::vector<int>> named;
  Future<double> passed;
  {
    std::vector<int> numbers(10'000, 3);
    named = pool.map_async(square, numbers);
    passed = pool.apply_async(sum, std::vector<double>(10'000, 0.5));
    numbers.assign(numbers.size(), 4);  // too late
  }
  std::ofstream{folder.In("go")};
  EXPECT_EQ(named.get(), std::vector<int>(10'000, 9));
  EXPECT_EQ(passed.get(), 5000);
}

TEST(Futures, ADroppedFutureLetsTheCallGoOn) {
  TemporaryFolder folder;
  {
    Pool pool({.workers = 1});
    (void)pool.apply_async(throw_until, folder.In("done"), 0);
    pool.close();
    pool.join();
  }
  EXPECT_EQ(std::filesystem::file_size(folder.In("done")), 1U);
}

}  // namespace
}  // namespace procpool::tests
