// What a pool promises, over every transport: order, values of all kinds, errors of calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <filesystem>
#include <list>
#include <numeric>
#include <set>
#include <thread>

#include <procpool/cereal.h>
#include <procpool/pool.h>
#include <cereal/types/map.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>
#include "tests/library/tasks.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

class PoolOver : public ::testing::TestWithParam<const char*> {
 protected:
  static PoolOptions Two() { return {.workers = 2, .transport = GetParam()}; }
};

// The error that `call` throws; fails the test if it throws none, or another one.
template <typename E, typename Call>
E ErrorOf(const Call& call) {
  try {
    call();
  } catch (const E& error) {
    return error;
  }
  throw std::logic_error("it threw nothing");
}

// ---- order and values

TEST_P(PoolOver, MapKeepsTheOrderWhateverTheChunks) {
  Pool pool(Two());
  for (const std::size_t chunk : {0U, 1U, 2U, 7U, 1000U, 5000U}) {
    const auto squares = pool.with({.chunk_size = chunk}).map(square, std::views::iota(0, 1000));
    ASSERT_EQ(squares.size(), 1000U);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(squares[static_cast<std::size_t>(i)], i * i) << chunk;
  }
}

TEST_P(PoolOver, EveryKindOfRangeCanBeMapped) {
  Pool pool(Two());
  const std::vector<int> expected{1, 4, 9};
  const std::vector<int> vector{1, 2, 3};
  EXPECT_EQ(pool.map(square, vector), expected);
  EXPECT_EQ(pool.map(square, std::span(vector)), expected);
  EXPECT_EQ(pool.map(square, std::array{1, 2, 3}), expected);
  const int plain[] = {1, 2, 3};
  EXPECT_EQ(pool.map(square, plain), expected);
  EXPECT_EQ(pool.map_async(square, plain).get(), expected);
  EXPECT_EQ(pool.map(square, std::deque<int>{1, 2, 3}), expected);
  EXPECT_EQ(pool.map(square, std::list<int>{1, 2, 3}), expected);
  EXPECT_EQ(pool.map(square, std::set<int>{1, 2, 3}), expected);
  EXPECT_EQ(pool.map(square, std::views::iota(1, 4)), expected);
  EXPECT_EQ(pool.map(square, vector | std::views::transform([](int x) { return x; })), expected);
  EXPECT_EQ(pool.map(square, vector | std::views::filter([](int x) { return x > 1; })),
            (std::vector{4, 9}));
  EXPECT_EQ(pool.map(square, std::vector<short>{1, 2, 3}), expected) << "converted on the way";
  EXPECT_EQ(pool.map(is_even, std::vector<int>{1, 2}), (std::vector<bool>{false, true}));
  EXPECT_TRUE(pool.map(square, std::vector<int>{}).empty());
  pool.map(nothing, vector);
  EXPECT_EQ(pool.map(square, std::vector<bool>{true, false}), (std::vector{1, 0}));
}

TEST_P(PoolOver, ValuesOfAllFormsTravel) {
  Pool pool(Two());
  EXPECT_EQ(pool.apply(square, 12), 144);
  EXPECT_EQ(pool.apply(add, 40, 2L), 42);
  EXPECT_EQ(pool.apply(add, 40, 2), 42) << "converted on the way";
  EXPECT_EQ(pool.apply(sum, std::vector<double>{1, 2, 3.5}), 6.5);
  EXPECT_EQ(pool.apply(sum, std::vector<double>{}), 0);
  EXPECT_EQ(pool.apply(reversed, std::vector<double>{1, 2, 3}), (std::vector<double>{3, 2, 1}));
  EXPECT_EQ(pool.apply(shout, "quiet"), "QUIET");
  EXPECT_EQ(pool.apply(shout, std::string()), "");
  EXPECT_GT(pool.apply(worker_pid), 0);
  const Point point = pool.apply(scaled, Point{1, 2, 3}, 2.0);
  EXPECT_EQ(point.x, 2);
  EXPECT_EQ(point.y, 4);
  EXPECT_EQ(point.weight, 3);
  EXPECT_EQ(pool.apply(tally, std::vector<std::string>{"a", "b", "a"}),
            (std::map<std::string, int>{{"a", 2}, {"b", 1}}));
  pool.apply(nothing, 1);
  EXPECT_EQ(pool.starmap(add, std::vector<std::tuple<int, long>>{{1, 2}, {3, 4}}),
            (std::vector<long>{3, 7}));
  EXPECT_EQ(pool.starmap_async(add, std::vector<std::pair<int, int>>{{1, 2}, {3, 4}}).get(),
            (std::vector<long>{3, 7}));
  EXPECT_EQ(pool.with({.chunk_size = 2})
                .map(shout, std::vector<std::string>{"one", "", "three", "four", "five"}),
            (std::vector<std::string>{"ONE", "", "THREE", "FOUR", "FIVE"}));
  EXPECT_EQ(pool.map(shout, std::vector<const char*>{"one", "two"}),
            (std::vector<std::string>{"ONE", "TWO"}));
}

// Beyond every border there is: what a frame copies, what is placed in shared memory, one piece of
// a result, the ring.
TEST_P(PoolOver, LongSequencesTravelWhole) {
  Pool pool(Two());
  for (const std::size_t size : {1U, 511U, 512U, 513U, 2048U, 33000U, 70000U, 1500000U}) {
    std::vector<double> values(size);
    std::iota(values.begin(), values.end(), 0.0);
    std::vector<double> expected(values.rbegin(), values.rend());
    ASSERT_EQ(pool.apply(reversed, values), expected) << size;
    const std::vector<std::vector<double>> many(5, values);
    for (const std::size_t chunk : {0U, 1U, 2U}) {
      const auto all = pool.with({.chunk_size = chunk}).map(reversed, many);
      ASSERT_EQ(all.size(), 5U);
      for (const auto& one : all) ASSERT_EQ(one, expected) << size << ' ' << chunk;
    }
  }
}

// ---- errors

TEST_P(PoolOver, AnExceptionArrivesWithTypeTextWorkerAndTask) {
  Pool pool(Two());
  const auto error = ErrorOf<TaskFailed>([&] { pool.apply(even_only, 3); });
  EXPECT_EQ(error.type(), "std::out_of_range");
  EXPECT_EQ(error.text(), "odd 3");
  EXPECT_EQ(error.task(), "even_only");
  EXPECT_EQ(error.call(), 0U);
  EXPECT_GT(error.worker(), 0);
  EXPECT_NE(std::string(error.what()).find("threw std::out_of_range: odd 3"), std::string::npos)
      << error.what();
  EXPECT_EQ(pool.apply(even_only, 4), 4) << "the pool goes on";
}

TEST_P(PoolOver, AMapThrowsTheFirstErrorOnceAllIsDone) {
  Pool pool(Two());
  TemporaryFolder folder;
  for (const std::size_t chunk : {1U, 3U, 100U}) {
    const auto error = ErrorOf<TaskFailed>([&] {
      pool.with({.chunk_size = chunk})
          .map(even_only, std::vector<int>{0, 2, 4, 7, 6, 9, 8, 8, 8, 8, 8});
    });
    EXPECT_EQ(error.call(), 3U) << chunk;
    EXPECT_EQ(error.text(), "odd 7");
  }
  // An exception does not keep the rest of its chunk from being done.
  std::vector<std::tuple<std::string, int>> calls;
  for (int i = 0; i < 4; ++i) calls.emplace_back(folder.In("call" + std::to_string(i)), i == 1);
  EXPECT_THROW(pool.with({.chunk_size = 4}).starmap(throw_until, calls), TaskFailed);
  for (const auto& [file, throws] : calls) EXPECT_EQ(std::filesystem::file_size(file), 1U);
}

TEST_P(PoolOver, ACrashIsTheErrorOfItsCallAlone) {
  Pool pool(Two());
  // The sixth call kills its worker, in chunks in which it is first, in the middle and last.
  for (const std::size_t chunk : {1U, 2U, 3U, 5U, 20U}) {
    auto results = pool.with({.chunk_size = chunk})
                       .imap(raise_signal, std::vector<int>{0, 0, 0, 0, 0, SIGSEGV, 0, 0, 0, 0});
    for (std::uint64_t call = 0; call < 10; ++call) {
      if (call != 5) {
        ASSERT_EQ(results.next(), 0) << chunk << ' ' << call;
        continue;
      }
      const auto error = ErrorOf<WorkerDied>([&] { results.next(); });
      EXPECT_EQ(error.signal(), SIGSEGV);
      EXPECT_EQ(error.exit_code(), std::nullopt);
      EXPECT_EQ(error.call(), 5U);
      EXPECT_EQ(error.task(), "raise_signal");
      EXPECT_GT(error.worker(), 0);
    }
    EXPECT_EQ(results.next(), std::nullopt);
  }
}

TEST_P(PoolOver, AnExitIsACrash) {
  Pool pool(Two());
  const auto error = ErrorOf<WorkerDied>([&] { pool.apply(exit_with, 3); });
  EXPECT_EQ(error.exit_code(), 3);
  EXPECT_EQ(error.signal(), std::nullopt);
  EXPECT_THROW(pool.apply(exit_with, 0), WorkerDied) << "no answer is no answer";
  EXPECT_EQ(pool.apply(square, 2), 4);
}

TEST_P(PoolOver, ManyCrashesCostOnlyTheirCalls) {
  Pool pool(Two());
  std::vector<int> signals(60, 0);
  for (std::size_t i = 0; i < signals.size(); i += 4) signals[i] = i % 8 == 0 ? SIGABRT : SIGKILL;
  auto results = pool.with({.chunk_size = 6}).imap_unordered(raise_signal, signals);
  int done = 0;
  int died = 0;
  while (done + died < 60) {
    try {
      ASSERT_TRUE(results.next());
      ++done;
    } catch (const WorkerDied&) {
      ++died;
    }
  }
  EXPECT_EQ(results.next(), std::nullopt);
  EXPECT_EQ(done, 45);
  EXPECT_EQ(died, 15);
}

TEST_P(PoolOver, WorkersThatDieTooOftenEndTheCalls) {
  Pool pool({.workers = 2,
             .transport = GetParam(),
             .max_restarts = 3,
             .restart_window = std::chrono::hours(1)});
  for (int round = 0; round < 2; ++round) {
    auto results = pool.imap_unordered(raise_signal, std::vector<int>(100, SIGKILL));
    // So many of them are errors of their own; then all the others end together.
    std::string last;
    int died = 0;
    for (; last.empty() && died < 100; ++died) {
      try {
        results.next();
      } catch (const WorkerDied&) {
      } catch (const Error& error) {
        last = error.what();
      }
    }
    EXPECT_NE(last.find("more than 3 died within 3600 s; the last: worker "), std::string::npos)
        << last;
    EXPECT_EQ(pool.apply(square, 3), 9);
  }
}

TEST_P(PoolOver, AnArgumentThatCannotBeReadSpoilsItsCallAlone) {
  Pool pool(Two());
  // imap, for it has one error for each call.
  std::vector<Picky> values;
  for (int i = 0; i < 9; ++i) values.push_back({{1, 2, 3}, i % 3 == 1 ? -i : i});
  auto results = pool.with({.chunk_size = 9}).imap(value_of, values);
  for (int i = 0; i < 9; ++i) {
    if (i % 3 == 1) {
      EXPECT_EQ(ErrorOf<TaskFailed>([&] { results.next(); }).text(), "negative");
    } else {
      EXPECT_EQ(results.next(), i);
    }
  }
}

// ---- timeouts and retries

TEST_P(PoolOver, ATimeoutIsTheErrorOfItsCallAlone) {
  Pool pool(Two());
  const auto limited = pool.with({.chunk_size = 4, .timeout = std::chrono::milliseconds(400)});
  auto results = limited.imap(sleep_ms, std::vector<int>{1, 2, 60'000, 4, 5, 6});
  EXPECT_EQ(results.next(), 1);
  EXPECT_EQ(results.next(), 2);
  const auto error = ErrorOf<TimedOut>([&] { results.next(); });
  EXPECT_EQ(error.call(), 2U);
  EXPECT_NE(std::string(error.what()).find("longer than 0.4 s"), std::string::npos);
  EXPECT_EQ(results.next(), 4);
  EXPECT_EQ(results.next(), 5);
  EXPECT_EQ(results.next(), 6);
}

// Each call of a chunk has the whole time.
TEST_P(PoolOver, ATimeoutIsForACallAndNotForItsChunk) {
  Pool pool(Two());
  EXPECT_EQ(pool.with({.chunk_size = 6, .timeout = std::chrono::milliseconds(600)})
                .map(sleep_ms, std::vector<int>(6, 200)),
            std::vector<int>(6, 200));
}

TEST_P(PoolOver, ACallThatKillsIsRetriedAsOftenAsAsked) {
  Pool pool(Two());
  TemporaryFolder folder;
  EXPECT_EQ(pool.with({.retries = 2}).apply(die_until, folder.In("twice"), 2), 3);
  EXPECT_THROW(pool.with({.retries = 1}).apply(die_until, folder.In("once"), 2), WorkerDied);
  EXPECT_EQ(std::filesystem::file_size(folder.In("once")), 2U);
  EXPECT_THROW(pool.apply(die_until, folder.In("never"), 1), WorkerDied);
  EXPECT_EQ(std::filesystem::file_size(folder.In("never")), 1U);
  EXPECT_THROW(pool.with({.timeout = std::chrono::milliseconds(100), .retries = 2})
                   .apply(hang, folder.In("slow")),
               TimedOut);
  EXPECT_EQ(std::filesystem::file_size(folder.In("slow")), 3U);
}

TEST_P(PoolOver, AnExceptionIsRetriedOnlyIfAsked) {
  Pool pool(Two());
  TemporaryFolder folder;
  EXPECT_THROW(pool.with({.retries = 5}).apply(throw_until, folder.In("not"), 1), TaskFailed);
  EXPECT_EQ(std::filesystem::file_size(folder.In("not")), 1U);
  const auto retrying = pool.with({.chunk_size = 3, .retries = 2, .retry_exceptions = true});
  std::vector<std::tuple<std::string, int>> calls;
  for (int i = 0; i < 9; ++i) calls.emplace_back(folder.In(std::to_string(i)), i % 3);
  EXPECT_EQ(retrying.starmap(throw_until, calls), (std::vector{1, 2, 3, 1, 2, 3, 1, 2, 3}));
  EXPECT_THROW(retrying.apply(throw_until, folder.In("thrice"), 3), TaskFailed);
  EXPECT_EQ(std::filesystem::file_size(folder.In("thrice")), 3U);
}

TEST_P(PoolOver, RetriedCallsOfLongResultsKeepTheirPlaces) {
  Pool pool(Two());
  // Strings are results of their own sizes: those that come later are put where they belong.
  TemporaryFolder folder;
  const auto twice = pool.with({.chunk_size = 4, .retries = 1, .retry_exceptions = true});
  std::vector<std::tuple<std::string, int>> calls;
  for (int i = 0; i < 8; ++i) calls.emplace_back(folder.In(std::to_string(i)), i == 2 || i == 5);
  EXPECT_EQ(twice.starmap(throw_until_text, calls),
            (std::vector<std::string>{"1", "1", "2", "1", "1", "2", "1", "1"}));
}

TEST_P(PoolOver, ATaskThatNobodyHasIsAClearError) {
  Pool pool(Two());
  constexpr Task<int(int)> unknown{"no_such_task"};
  const auto error = ErrorOf<TaskFailed>([&] { pool.apply(unknown, 1); });
  EXPECT_NE(error.text().find("has no task 'no_such_task'"), std::string::npos) << error.text();
  EXPECT_NE(error.text().find("square"), std::string::npos) << "and says which there are";
}

TEST_P(PoolOver, ATaskOfAnotherTypeIsRefused) {
  Pool pool(Two());
  constexpr Task<long(int)> other{"square"};
  const auto error = ErrorOf<SignatureRefused>([&] { pool.apply(other, 1); });
  EXPECT_NE(std::string(error.what()).find("long int(int)"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("int(int)"), std::string::npos);
  EXPECT_THROW(pool.map(other, std::vector{1, 2, 3}), SignatureRefused);
}

// ---- shared arrays

TEST_P(PoolOver, ASharedArrayIsSeenByAllWithoutCopies) {
  Pool pool(Two());
  SharedArray<int> array(100'000);
  std::vector<std::tuple<SharedArray<int>, int>> calls;
  int number = 1;
  for (const SharedArray<int>& part : array.parts(7)) calls.emplace_back(part, number++);
  pool.starmap(add_to, calls);
  pool.starmap(add_to, calls);
  std::size_t at = 0;
  for (const auto& [part, value] : calls) {
    for (std::size_t i = 0; i < part.size(); ++i) ASSERT_EQ(array[at++], 2 * value);
  }
  EXPECT_EQ(at, array.size());
}

INSTANTIATE_TEST_SUITE_P(Transports, PoolOver, ::testing::Values("shm", "pipe", "queue"),
                         [](const auto& transport) { return std::string(transport.param); });

}  // namespace
}  // namespace procpool::tests
