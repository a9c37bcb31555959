// The thread of continuations.
#include <procpool/detail/callback_thread.h>

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace procpool::detail {
namespace {

constexpr auto kLongEnough = std::chrono::seconds(20);

// Shared, for who sets it may still be about it when who waited has gone on.
using Signal = std::shared_ptr<std::promise<void>>;

Signal NewSignal() {
  return std::make_shared<std::promise<void>>();
}

bool Came(const Signal& signal) {
  return signal->get_future().wait_for(kLongEnough) == std::future_status::ready;
}

std::ptrdiff_t Threads() {
  using Entries = std::filesystem::directory_iterator;
  return std::distance(Entries("/proc/self/task"), Entries());
}

TEST(CallbackThread, RunsThemInOrderOnAThreadOfItsOwn) {
  std::vector<int> ran;
  std::vector<std::thread::id> threads;
  {
    CallbackThread callbacks;
    for (int i = 0; i < 1000; ++i) {
      callbacks.Post([&, i] {
        ran.push_back(i);
        threads.push_back(std::this_thread::get_id());
      });
    }
  }
  ASSERT_EQ(ran.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(ran[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(std::vector(1000, threads[0]), threads);
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(CallbackThread, BeginsWithTheFirstCallback) {
  // A sanitizer may make a thread of its own together with the first one.
  std::thread([] {}).join();
  const auto before = Threads();
  {
    CallbackThread unused;
    EXPECT_EQ(Threads(), before);
  }
  const Signal ran = NewSignal();
  CallbackThread callbacks;
  callbacks.Post([ran] { ran->set_value(); });
  ASSERT_TRUE(Came(ran));
  EXPECT_EQ(Threads(), before + 1);
}

TEST(CallbackThread, WhatWasPostedBeforeTheEndIsRun) {
  const Signal go = NewSignal();
  std::atomic<int> ran{0};
  std::thread opener;
  {
    CallbackThread callbacks;
    callbacks.Post([go] { EXPECT_TRUE(Came(go)); });
    for (int i = 0; i < 100; ++i) callbacks.Post([&] { ++ran; });
    EXPECT_EQ(ran, 0);
    opener = std::thread([go] { go->set_value(); });
  }
  EXPECT_EQ(ran, 100);
  opener.join();
}

TEST(CallbackThread, ACallbackMayPostAnother) {
  std::vector<int> ran;
  {
    CallbackThread callbacks;
    callbacks.Post([&] {
      ran.push_back(1);
      callbacks.Post([&] {
        ran.push_back(3);
        callbacks.Post([&] { ran.push_back(4); });
      });
      ran.push_back(2);
    });
  }
  EXPECT_EQ(ran, (std::vector{1, 2, 3, 4}));
}

TEST(CallbackThread, MayBeDestroyedFromACallback) {
  auto callbacks = std::make_shared<CallbackThread>();
  CallbackThread& still_there = *callbacks;
  const Signal given = NewSignal();
  const Signal ended = NewSignal();
  const Signal behind = NewSignal();
  // As the last future does, which ends in its own continuation.
  still_there.Post([given, ended, last = std::move(callbacks)]() mutable {
    EXPECT_TRUE(Came(given));
    last.reset();
    ended->set_value();
  });
  still_there.Post([behind] { behind->set_value(); });
  given->set_value();
  EXPECT_TRUE(Came(ended));
  EXPECT_TRUE(Came(behind)) << "what was posted is run all the same";
}

TEST(CallbackThread, MayEndTogetherWithWhatACallbackHolds) {
  auto callbacks = std::make_shared<CallbackThread>();
  const std::weak_ptr<CallbackThread> watched = callbacks;
  const Signal go = NewSignal();
  CallbackThread& still_there = *callbacks;
  still_there.Post([go, last = std::move(callbacks)] { EXPECT_TRUE(Came(go)); });
  go->set_value();
  for (auto end = std::chrono::steady_clock::now() + kLongEnough; !watched.expired();) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::yield();
  }
}

TEST(CallbackThread, WhatACallbackHoldsEndsBeforeTheNextOne) {
  struct Held {
    std::vector<int>& order;
    explicit Held(std::vector<int>& ran) : order(ran) {}
    ~Held() { order.push_back(2); }
  };
  std::vector<int> order;
  {
    CallbackThread callbacks;
    callbacks.Post([&order, held = std::make_shared<Held>(order)] { order.push_back(1); });
    callbacks.Post([&] { order.push_back(3); });
  }
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(CallbackThread, WhatACallbackHoldsMayPostWhenItEnds) {
  struct Posting {
    CallbackThread& callbacks;
    int& posted;
    Posting(CallbackThread& thread, int& count) : callbacks(thread), posted(count) {}
    ~Posting() {
      callbacks.Post([&count = posted] { ++count; });
    }
  };
  int posted = 0;
  {
    CallbackThread callbacks;
    callbacks.Post([held = std::make_shared<Posting>(callbacks, posted)] {});
  }
  EXPECT_EQ(posted, 1);
}

TEST(CallbackThread, TakesNoSignals) {
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  sigset_t inside;
  {
    CallbackThread callbacks;
    callbacks.Post([&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &inside); });
  }
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1}) {
    EXPECT_EQ(::sigismember(&inside, signal), 1) << signal;
  }
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1}) {
    EXPECT_EQ(::sigismember(&after, signal), ::sigismember(&before, signal)) << signal;
  }
}

TEST(CallbackThread, ManyThreadsMayPost) {
  std::vector<int> ran;
  {
    CallbackThread callbacks;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 1000; ++i)
          callbacks.Post([&, thread, i] { ran.push_back(4 * i + thread); });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  ASSERT_EQ(ran.size(), 4000U);
  // Those of one thread in its order.
  std::vector<int> last(4, -1);
  for (const int number : ran) {
    EXPECT_GT(number, last[static_cast<std::size_t>(number % 4)]);
    last[static_cast<std::size_t>(number % 4)] = number;
  }
}

}  // namespace
}  // namespace procpool::detail
