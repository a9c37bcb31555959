// What a future shares with who fulfils it: settled once, by whoever comes first.
#include <procpool/detail/future_state.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <procpool/call_errors.h>

namespace procpool::detail {
namespace {

constexpr auto kLongEnough = std::chrono::seconds(20);

class FutureStateTest : public ::testing::Test {
 protected:
  using State = FutureState<int>;

  static std::exception_ptr SomeError() {
    return std::make_exception_ptr(std::runtime_error("some error"));
  }
  /// Everything that was posted so far has run.
  void RunCallbacks() {
    const auto ran = std::make_shared<std::promise<void>>();
    callbacks_->Post([ran] { ran->set_value(); });
    ASSERT_EQ(ran->get_future().wait_for(kLongEnough), std::future_status::ready);
  }

  std::shared_ptr<CallbackThread> callbacks_ = std::make_shared<CallbackThread>();
  std::shared_ptr<State> state_ = std::make_shared<State>(callbacks_);
};

TEST_F(FutureStateTest, AValueSettlesIt) {
  EXPECT_FALSE(state_->Ready());
  EXPECT_TRUE(state_->Fulfil([] { return 7; }));
  EXPECT_TRUE(state_->Ready());
  state_->Wait();
  EXPECT_EQ(state_->Value(), 7);
}

TEST_F(FutureStateTest, AnErrorSettlesIt) {
  EXPECT_TRUE(state_->Fail(SomeError()));
  EXPECT_TRUE(state_->Ready());
  EXPECT_THROW(state_->Value(), std::runtime_error);
  EXPECT_THROW(state_->Value(), std::runtime_error) << "it stays";
}

TEST_F(FutureStateTest, ItIsSettledOnce) {
  EXPECT_TRUE(state_->Fulfil([] { return 1; }));
  EXPECT_FALSE(state_->Fulfil([] { return 2; }));
  EXPECT_FALSE(state_->Fail(SomeError()));
  EXPECT_EQ(state_->Value(), 1);
  const auto failed = std::make_shared<State>(callbacks_);
  EXPECT_TRUE(failed->Fail(SomeError()));
  EXPECT_FALSE(failed->Fulfil([] { return 2; }));
  EXPECT_FALSE(failed->Fail(std::make_exception_ptr(std::logic_error("another"))));
  EXPECT_THROW(failed->Value(), std::runtime_error);
}

TEST_F(FutureStateTest, OfManyThreadsOneSettlesIt) {
  for (int round = 0; round < 50; ++round) {
    const auto state = std::make_shared<State>(callbacks_);
    std::atomic<int> settled{0};
    std::atomic<int> who{-1};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        if (!state->Fulfil([i] { return i; })) return;
        ++settled;
        who = i;
      });
    }
    state->Wait();
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(settled, 1);
    ASSERT_EQ(state->Value(), who);
  }
}

TEST_F(FutureStateTest, WaitingEndsWhenItIsSettled) {
  std::thread settler([&] { state_->Fulfil([] { return 1; }); });
  state_->Wait();
  EXPECT_TRUE(state_->Ready());
  settler.join();
}

TEST_F(FutureStateTest, WaitingHasADeadline) {
  const auto now = std::chrono::steady_clock::now();
  EXPECT_FALSE(state_->WaitUntil(now - std::chrono::seconds(1)));
  EXPECT_FALSE(state_->WaitUntil(now + std::chrono::milliseconds(20)));
  EXPECT_GE(std::chrono::steady_clock::now(), now + std::chrono::milliseconds(20));
  state_->Fail(SomeError());
  EXPECT_TRUE(state_->WaitUntil(now - std::chrono::seconds(1)));
}

// ---- the value

TEST_F(FutureStateTest, TheValueIsMadeOnceByWhoLooksFirst) {
  std::atomic<int> made{0};
  std::thread::id maker;
  const auto held = std::make_shared<int>(5);
  state_->Fulfil([&, held] {
    ++made;
    maker = std::this_thread::get_id();
    return *held;
  });
  EXPECT_EQ(made, 0);
  EXPECT_EQ(held.use_count(), 2);
  std::vector<std::thread> threads;
  std::atomic<int> sum{0};
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { sum += state_->Value(); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(sum, 20);
  EXPECT_NE(maker, std::this_thread::get_id());
  EXPECT_EQ(held.use_count(), 1) << "what it was made of is kept though nobody needs it";
}

TEST_F(FutureStateTest, WhatMakingItThrowsIsTheError) {
  int tried = 0;
  state_->Fulfil([&]() -> int {
    ++tried;
    throw std::range_error("cannot be made");
  });
  EXPECT_TRUE(state_->Ready());
  EXPECT_THROW(state_->Value(), std::range_error);
  EXPECT_THROW(state_->Value(), std::range_error);
  EXPECT_GE(tried, 1);
}

TEST_F(FutureStateTest, TheValueNeedsNoDefaultAndNoCopy) {
  struct Heavy {
    explicit Heavy(int number) : value(std::make_unique<int>(number)) {}
    std::unique_ptr<int> value;
  };
  FutureState<Heavy> state(callbacks_);
  state.Fulfil([] { return Heavy(3); });
  const Heavy taken = std::move(state.Value());
  EXPECT_EQ(*taken.value, 3);
}

// ---- cancelling

TEST_F(FutureStateTest, WithoutACancelFunctionItIsCancelledAtOnce) {
  EXPECT_TRUE(state_->Cancel());
  EXPECT_THROW(state_->Value(), Cancelled);
  EXPECT_FALSE(state_->Fulfil([] { return 1; }));
}

TEST_F(FutureStateTest, WhatIsSettledIsNotCancelled) {
  int asked = 0;
  state_->OnCancel([&] { ++asked; });
  state_->Fulfil([] { return 1; });
  EXPECT_FALSE(state_->Cancel());
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(state_->Value(), 1);
  const auto failed = std::make_shared<State>(callbacks_);
  failed->Fail(SomeError());
  EXPECT_FALSE(failed->Cancel());
}

TEST_F(FutureStateTest, ASecondTimeItIsNotCancelledAgain) {
  EXPECT_TRUE(state_->Cancel());
  EXPECT_FALSE(state_->Cancel()) << "it has an end already";
}

TEST_F(FutureStateTest, CancellingReturnsWhenItIsSettled) {
  std::thread settler;
  state_->OnCancel(
      [&] { settler = std::thread([&] { state_->Fail(std::make_exception_ptr(Cancelled())); }); });
  EXPECT_TRUE(state_->Cancel());
  EXPECT_TRUE(state_->Ready());
  settler.join();
}

TEST_F(FutureStateTest, AResultThatComesWhileItIsCancelledCounts) {
  state_->OnCancel([&] { state_->Fulfil([] { return 3; }); });
  EXPECT_FALSE(state_->Cancel());
  EXPECT_EQ(state_->Value(), 3);
  const auto failed = std::make_shared<State>(callbacks_);
  failed->OnCancel([&] { failed->Fail(SomeError()); });
  EXPECT_FALSE(failed->Cancel()) << "another error";
}

TEST_F(FutureStateTest, TheCancelFunctionEndsOnceItIsSettled) {
  const auto held = std::make_shared<int>(1);
  state_->OnCancel([held] {});
  EXPECT_EQ(held.use_count(), 2);
  state_->Fulfil([] { return 1; });
  EXPECT_EQ(held.use_count(), 1);
  state_->OnCancel([held] {});
  EXPECT_EQ(held.use_count(), 1) << "nobody will call it any more";
}

// ---- continuations

TEST_F(FutureStateTest, CallbacksRunOnceItIsSettled) {
  std::vector<std::string> ran;
  std::thread::id thread;
  state_->WhenSettled([&] {
    ran.emplace_back("before");
    thread = std::this_thread::get_id();
  });
  state_->WhenSettled([&] { ran.emplace_back("before, second"); });
  ASSERT_NO_FATAL_FAILURE(RunCallbacks());
  EXPECT_TRUE(ran.empty());
  state_->Fulfil([] { return 1; });
  ASSERT_NO_FATAL_FAILURE(RunCallbacks());
  EXPECT_EQ(ran, (std::vector<std::string>{"before", "before, second"}));
  EXPECT_NE(thread, std::this_thread::get_id());
  state_->WhenSettled([&] { ran.emplace_back("after"); });
  ASSERT_NO_FATAL_FAILURE(RunCallbacks());
  EXPECT_EQ(ran.size(), 3U);
  state_->Fail(SomeError());
  ASSERT_NO_FATAL_FAILURE(RunCallbacks());
  EXPECT_EQ(ran.size(), 3U) << "once each";
}

TEST_F(FutureStateTest, CallbacksRunForErrorsToo) {
  std::string seen;
  state_->WhenSettled([&] {
    try {
      state_->Value();
    } catch (const std::exception& exception) {
      seen = exception.what();
    }
  });
  state_->Fail(SomeError());
  ASSERT_NO_FATAL_FAILURE(RunCallbacks());
  EXPECT_EQ(seen, "some error");
}

TEST_F(FutureStateTest, ACallbackThatComesJustThenIsNotLost) {
  for (int round = 0; round < 200; ++round) {
    const auto state = std::make_shared<State>(callbacks_);
    const auto ran = std::make_shared<std::promise<void>>();
    std::thread settler([&] { state->Fulfil([] { return 1; }); });
    state->WhenSettled([ran] { ran->set_value(); });
    ASSERT_EQ(ran->get_future().wait_for(kLongEnough), std::future_status::ready);
    settler.join();
  }
}

TEST_F(FutureStateTest, WhoWaitsMayEndItAtOnce) {
  for (int round = 0; round < 200; ++round) {
    auto state = std::make_unique<FutureState<int>>(callbacks_);
    std::thread settler([settled = state.get()] { settled->Fulfil([] { return 1; }); });
    state->Wait();
    state.reset();
    settler.join();
  }
}

}  // namespace
}  // namespace procpool::detail
