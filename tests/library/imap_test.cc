// imap and imap_unordered: lazy, bounded, and each error at its place.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <ranges>
#include <set>
#include <thread>

#include <procpool/pool.h>
#include "tests/library/tasks.h"
#include "tests/temporary_folder.h"

namespace procpool::tests {
namespace {

// Numbers from 0 on that count how many were taken.
class Counted {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Counted* range) : range_(range) {}
    int operator*() const { return range_->taken; }
    Iterator& operator++() {
      if (++range_->taken == range_->throws_at) throw std::runtime_error("the range is broken");
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range_->taken == range_->last; }

   private:
    Counted* range_;
  };
  Iterator begin() { return Iterator(this); }
  static std::default_sentinel_t end() { return {}; }

  int taken = 0;
  int last = -1;  // none
  int throws_at = -1;
};

class ImapOver : public ::testing::TestWithParam<const char*> {
 protected:
  static PoolOptions Two() { return {.workers = 2, .transport = GetParam()}; }
};

TEST_P(ImapOver, ResultsComeInOrderAndAllOfThem) {
  Pool pool(Two());
  for (const std::size_t chunk : {0U, 1U, 3U, 64U}) {
    for (const std::size_t window : {0U, 1U, 2U, 7U, 100U}) {
      int expected = 0;
      const auto calls = pool.with({.chunk_size = chunk, .window = window});
      for (const int value : calls.imap(square, std::views::iota(0, 200))) {
        ASSERT_EQ(value, expected * expected) << chunk << ' ' << window;
        ++expected;
      }
      ASSERT_EQ(expected, 200) << chunk << ' ' << window;
    }
  }
}

TEST_P(ImapOver, UnorderedGivesEachResultOnce) {
  Pool pool(Two());
  for (const std::size_t chunk : {1U, 5U}) {
    std::multiset<int> values;
    for (const int value : pool.with({.chunk_size = chunk, .window = 20})
                               .imap_unordered(square, std::views::iota(0, 300))) {
      values.insert(value);
    }
    EXPECT_EQ(values.size(), 300U);
    for (int i = 0; i < 300; ++i) ASSERT_EQ(values.count(i * i), 1U);
  }
}

TEST_P(ImapOver, AnEndlessRangeIsTakenOnlyAsFarAsTheWindow) {
  Pool pool(Two());
  Counted range;
  auto results = pool.with({.window = 10}).imap(square, range);
  EXPECT_LE(range.taken, 11) << "the window, and the element the iterator stands at";
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(results.next(), i * i);
    ASSERT_LE(range.taken, i + 12);
  }
}

TEST_P(ImapOver, UnorderedDoesNotWaitForASlowCall) {
  Pool pool(Two());
  TemporaryFolder folder;
  const std::string go = folder.In("go");
  // The first call waits until the last result is there.
  auto results = pool.imap_unordered(wait_if_named, std::vector<std::string>{go, "", "", ""});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(results.next(), 0);
  std::ofstream{go};
  EXPECT_EQ(results.next(), 1);
  EXPECT_EQ(results.next(), std::nullopt);
}

TEST_P(ImapOver, WaitForSaysWhetherNextWouldWait) {
  Pool pool(Two());
  TemporaryFolder folder;
  auto results = pool.imap(wait_if_named, std::vector<std::string>{folder.In("go"), ""});
  EXPECT_FALSE(results.wait_for(std::chrono::milliseconds(30)))
      << "the second is there, but not the first";
  std::ofstream{folder.In("go")};
  EXPECT_TRUE(results.wait_for(std::chrono::hours(1)));
  EXPECT_EQ(results.next(), 1);
  EXPECT_TRUE(results.wait_for(std::chrono::hours(1)));
  EXPECT_EQ(results.next(), 0);
  EXPECT_TRUE(results.wait_for(std::chrono::seconds(0))) << "the end needs no waiting";
  EXPECT_EQ(results.next(), std::nullopt);
}

TEST_P(ImapOver, AnErrorStandsWhereItsResultWouldAndTheRestFollows) {
  Pool pool(Two());
  auto results = pool.with({.chunk_size = 3}).imap(even_only, std::views::iota(0, 20));
  for (int i = 0; i < 20; ++i) {
    if (i % 2 == 0) {
      ASSERT_EQ(results.next(), i);
    } else {
      ASSERT_THROW(results.next(), TaskFailed) << i;
    }
  }
  EXPECT_EQ(results.next(), std::nullopt);
  EXPECT_EQ(results.next(), std::nullopt) << "and again";
}

TEST_P(ImapOver, ARangeThatThrowsEndsThere) {
  Pool pool(Two());
  Counted range;
  range.throws_at = 5;
  std::vector<int> values;
  EXPECT_THROW(
      {
        auto results = pool.with({.window = 2}).imap(square, range);
        while (true) values.push_back(results.next().value());
      },
      std::runtime_error);
  EXPECT_LE(values.size(), 5U);
  EXPECT_EQ(pool.apply(square, 3), 9) << "the pool goes on";
}

TEST_P(ImapOver, DroppingTheResultsEndsTheCalls) {
  Pool pool(Two());
  TemporaryFolder folder;
  {
    auto results = pool.imap(hang, std::vector<std::string>(4, folder.In("begun")));
    while (!std::filesystem::exists(folder.In("begun"))) std::this_thread::yield();
  }
  pool.close();
  EXPECT_TRUE(pool.join_for(std::chrono::seconds(60)));
}

TEST_P(ImapOver, ACancelledStreamSaysSo) {
  Pool pool(Two());
  auto results = pool.imap(square, std::views::iota(0));
  EXPECT_EQ(results.next(), 0);
  results.cancel();
  EXPECT_THROW(
      {
        while (results.next()) {
        }
      },
      Cancelled);
}

TEST_P(ImapOver, VoidTasksCanBeCounted) {
  Pool pool(Two());
  int count = 0;
  for ([[maybe_unused]] const auto done : pool.imap(nothing, std::views::iota(0, 50))) ++count;
  EXPECT_EQ(count, 50);
}

TEST_P(ImapOver, LongResultsAndTextsTravel) {
  Pool pool(Two());
  const std::vector<std::vector<double>> rows(20, std::vector<double>(50'000, 2.5));
  for (const auto& row : pool.imap(reversed, rows)) ASSERT_EQ(row, rows[0]);
  std::string all;
  for (const std::string& text :
       pool.with({.chunk_size = 2}).imap(shout, std::vector<std::string>{"a", "", "c"})) {
    all += text + ".";
  }
  EXPECT_EQ(all, "A..C.");
}

INSTANTIATE_TEST_SUITE_P(Transports, ImapOver, ::testing::Values("shm", "pipe", "queue"),
                         [](const auto& transport) { return std::string(transport.param); });

}  // namespace
}  // namespace procpool::tests
