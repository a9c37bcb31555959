// Calls of a pool awaited with Boost.Asio: which thread a handler is called on, what keeps the
// context going, what cancelling does. This program is its own worker.
#include <procpool/asio.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <procpool/pool.h>
#include <procpool/worker.h>

namespace procpool {
namespace {

namespace asio = boost::asio;
using asio::cancellation_type;

constexpr auto kDeadline = std::chrono::seconds(60);  // against hanging

const Task square{"square", [](int x) { return x * x; }};
const Task add{"add", [](int a, int b) { return a + b; }};
const Task nothing{"nothing", [] {}};
const Task repeat{"repeat",
                  [](char letter, std::size_t count) { return std::string(count, letter); }};
const Task refuse{"refuse",
                  [](int x) -> int { throw std::out_of_range("not " + std::to_string(x)); }};

// A call that says that it has begun, and goes on until it is let go: bells[0], bells[1].
using Bells = SharedArray<std::atomic_int>;
static_assert(std::atomic_int::is_always_lock_free);

void WaitFor(const std::atomic_int& bell) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (bell == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
}

const Task hold{"hold", [](const Bells& bells) {
                  bells[0] = 1;
                  WaitFor(bells[1]);
                  return 7;
                }};

template <typename E>
bool Is(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {
  }
  return false;
}

class AsioTest : public ::testing::Test {
 protected:
  // Runs the context until it has nothing left, on this thread.
  void Run() {
    io_.run_for(kDeadline);
    EXPECT_TRUE(io_.stopped()) << "the context still has work";
  }

  Bells bells_{2};
  Pool pool_{{.workers = 2}};
  asio::io_context io_;
};

TEST_F(AsioTest, ACallbackGetsTheValueOnTheContextsThread) {
  std::thread::id where;
  int value = 0;
  async_get(pool_.apply_async(square, 7),
            asio::bind_executor(io_, [&](const std::exception_ptr& error, int result) {
              EXPECT_FALSE(error);
              value = result;
              where = std::this_thread::get_id();
            }));
  Run();
  EXPECT_EQ(value, 49);
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(AsioTest, AHandlerIsNotCalledFromWithin) {
  Future<int> future = pool_.apply_async(square, 7);
  future.wait();
  bool called = false;
  async_get(std::move(future),
            asio::bind_executor(io_, [&](const std::exception_ptr&, int) { called = true; }));
  EXPECT_FALSE(called);
  Run();
  EXPECT_TRUE(called);
}

TEST_F(AsioTest, ATaskWithoutAResultHasNoValue) {
  bool called = false;
  async_get(pool_.apply_async(nothing),
            asio::bind_executor(io_, [&](const std::exception_ptr& error) {
              EXPECT_FALSE(error);
              called = true;
            }));
  Run();
  EXPECT_TRUE(called);
}

TEST_F(AsioTest, AHandlerMayBeMoveOnly) {
  auto token = std::make_unique<int>(5);
  int sum = 0;
  async_get(
      pool_.apply_async(square, 3),
      asio::bind_executor(io_, [&, token = std::move(token)](const std::exception_ptr&, int value) {
        sum = value + *token;
      }));
  Run();
  EXPECT_EQ(sum, 14);
}

TEST_F(AsioTest, AnErrorComesAsItIsWithAnEmptyValue) {
  std::exception_ptr error;
  int value = -1;
  async_get(pool_.apply_async(refuse, 7),
            asio::bind_executor(io_, [&](const std::exception_ptr& e, int v) {
              error = e;
              value = v;
            }));
  Run();
  EXPECT_EQ(value, 0);
  try {
    std::rethrow_exception(error);
  } catch (const TaskFailed& failed) {
    EXPECT_EQ(failed.type(), "std::out_of_range");
    EXPECT_EQ(failed.text(), "not 7");
  }
}

TEST_F(AsioTest, UnderAStrand) {
  auto strand = asio::make_strand(io_);
  bool in_strand = false;
  async_get(pool_.apply_async(square, 2),
            asio::bind_executor(strand, [&](const std::exception_ptr&, int) {
              in_strand = strand.running_in_this_thread();
            }));
  Run();
  EXPECT_TRUE(in_strand);
}

TEST_F(AsioTest, WithoutAnExecutorOnAThreadOfAsios) {
  std::promise<int> value;
  async_get(pool_.apply_async(square, 7),
            [&](const std::exception_ptr&, int result) { value.set_value(result); });
  std::future<int> future = value.get_future();
  ASSERT_EQ(future.wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(future.get(), 49);
}

TEST_F(AsioTest, UseFuture) {
  std::future<std::string> word = async_get(pool_.apply_async(repeat, 'a', 3u), asio::use_future);
  std::future<int> error = async_get(pool_.apply_async(refuse, 1), asio::use_future);
  std::future<void> done = async_get(pool_.apply_async(nothing), asio::use_future);
  EXPECT_EQ(word.get(), "aaa");
  EXPECT_THROW(error.get(), TaskFailed);
  EXPECT_NO_THROW(done.get());
}

TEST_F(AsioTest, DeferredBeginsToWaitWhenItIsCalled) {
  auto operation = async_get(pool_.apply_async(square, 6), asio::deferred);
  EXPECT_EQ(io_.poll(), 0u);
  EXPECT_TRUE(io_.stopped());
  io_.restart();
  int value = 0;
  std::move(operation)(
      asio::bind_executor(io_, [&](const std::exception_ptr&, int result) { value = result; }));
  Run();
  EXPECT_EQ(value, 36);
}

TEST_F(AsioTest, RunDoesNotReturnWhileACallIsOnItsWay) {
  bool called = false;
  async_get(pool_.apply_async(hold, bells_),
            asio::bind_executor(io_, [&](const std::exception_ptr&, int) { called = true; }));
  WaitFor(bells_[0]);
  EXPECT_EQ(io_.poll(), 0u);
  EXPECT_FALSE(io_.stopped());
  bells_[1] = 1;
  Run();
  EXPECT_TRUE(called);
}

TEST_F(AsioTest, ChainsAndGatheredFutures) {
  std::vector<int> seen;
  async_get(pool_.apply_async(square, 3).then([](int value) { return value + 1; }),
            asio::bind_executor(
                io_, [&](const std::exception_ptr&, int value) { seen.push_back(value); }));
  Run();
  io_.restart();
  std::vector<Future<int>> futures;
  futures.reserve(4);
  for (int i = 0; i < 4; ++i) futures.push_back(pool_.apply_async(square, i));
  async_get(when_all(std::move(futures)),
            asio::bind_executor(io_, [&](const std::exception_ptr&, const std::vector<int>& all) {
              seen.insert(seen.end(), all.begin(), all.end());
            }));
  Run();
  EXPECT_EQ(seen, (std::vector{10, 0, 1, 4, 9}));
}

TEST_F(AsioTest, OfNoFuturesAtAll) {
  bool called = false;
  async_get(
      when_all(std::vector<Future<int>>()),
      asio::bind_executor(io_, [&](const std::exception_ptr& error, const std::vector<int>& all) {
        EXPECT_FALSE(error);
        EXPECT_TRUE(all.empty());
        called = true;
      }));
  Run();
  EXPECT_TRUE(called);
}

TEST_F(AsioTest, AFutureOfNoCallIsRefused) {
  EXPECT_THROW(static_cast<void>(async_get(Future<int>(), asio::deferred)), std::logic_error);
}

// ---- coroutines

asio::awaitable<int> InTurn(const Pool& pool) {
  const int nine = co_await async_get(pool.apply_async(square, 3), asio::use_awaitable);
  co_await async_get(pool.apply_async(nothing), asio::use_awaitable);
  co_return co_await async_get(pool.apply_async(add, nine, 1), asio::use_awaitable);
}

TEST_F(AsioTest, CoroutinesAwaitOneAfterTheOther) {
  std::future<int> value = asio::co_spawn(io_, InTurn(pool_), asio::use_future);
  Run();
  EXPECT_EQ(value.get(), 10);
}

asio::awaitable<int> SideBySide(const Pool& pool, Bells first, Bells second) {
  using asio::experimental::awaitable_operators::operator&&;
  // Neither ends before both have begun.
  auto [a, b] =
      co_await (async_get(pool.apply_async(hold, std::move(first)), asio::use_awaitable) &&
                async_get(pool.apply_async(hold, std::move(second)), asio::use_awaitable));
  co_return a + b;
}

TEST_F(AsioTest, CoroutinesAwaitSideBySide) {
  const Bells other(2);
  std::future<int> value = asio::co_spawn(io_, SideBySide(pool_, bells_, other), asio::use_future);
  io_.poll();
  WaitFor(bells_[0]);
  WaitFor(other[0]);
  bells_[1] = other[1] = 1;
  Run();
  EXPECT_EQ(value.get(), 14);
}

asio::awaitable<std::string> Failing(const Pool& pool) {
  try {
    co_await async_get(pool.apply_async(refuse, 5), asio::use_awaitable);
  } catch (const TaskFailed& failed) {
    co_return failed.text();
  }
  co_return "no error";
}

TEST_F(AsioTest, CoroutinesCatchErrors) {
  std::future<std::string> text = asio::co_spawn(io_, Failing(pool_), asio::use_future);
  Run();
  EXPECT_EQ(text.get(), "not 5");
}

asio::awaitable<std::size_t> WhicheverIsFirst(const Pool& pool, Bells bells) {
  using asio::experimental::awaitable_operators::operator||;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::milliseconds(1));
  const auto first =
      co_await (async_get(pool.apply_async(hold, std::move(bells)), asio::use_awaitable) ||
                timer.async_wait(asio::use_awaitable));
  co_return first.index();
}

TEST_F(AsioTest, ATimerEndsACallThatIsAwaitedBesideIt) {
  std::future<std::size_t> first =
      asio::co_spawn(io_, WhicheverIsFirst(pool_, bells_), asio::use_future);
  Run();
  EXPECT_EQ(first.get(), 1u);
  EXPECT_EQ(pool_.apply(square, 5), 25) << "the pool goes on";
}

// ---- cancelling

class AsioCancelTest : public AsioTest, public ::testing::WithParamInterface<cancellation_type> {};

INSTANTIATE_TEST_SUITE_P(Types, AsioCancelTest,
                         ::testing::Values(cancellation_type::terminal, cancellation_type::partial,
                                           cancellation_type::total));

TEST_P(AsioCancelTest, ACallThatRunsIsEnded) {
  asio::cancellation_signal signal;
  std::exception_ptr error;
  bool was_in_slot = true;
  async_get(pool_.apply_async(hold, bells_),
            asio::bind_cancellation_slot(
                signal.slot(), asio::bind_executor(io_, [&](const std::exception_ptr& e, int) {
                  error = e;
                  was_in_slot = signal.slot().has_handler();
                })));
  WaitFor(bells_[0]);
  asio::post(io_, [&] { signal.emit(GetParam()); });
  Run();
  EXPECT_TRUE(Is<Cancelled>(error));
  EXPECT_FALSE(was_in_slot) << "nothing may be left in a slot whose operation has ended";
  EXPECT_EQ(pool_.apply(square, 5), 25) << "the pool goes on";
}

TEST_F(AsioTest, WhoCancelsDoesNotWait) {
  // Whoever cancels a call waits for the pool's thread, unless another thread does it for him. The
  // callback thread cannot, as long as this continuation keeps it.
  std::promise<void> kept;
  std::promise<void> let_go;
  Future<int> first = pool_.apply_async(square, 1);
  first.on_value([&](int) {
    kept.set_value();
    let_go.get_future().wait_for(kDeadline);
  });
  ASSERT_EQ(kept.get_future().wait_for(kDeadline), std::future_status::ready);

  asio::cancellation_signal signal;
  std::exception_ptr error;
  Future<int> held = pool_.apply_async(hold, bells_);
  const auto state = held.state();
  async_get(std::move(held),
            asio::bind_cancellation_slot(
                signal.slot(),
                asio::bind_executor(io_, [&](const std::exception_ptr& e, int) { error = e; })));
  WaitFor(bells_[0]);
  signal.emit(cancellation_type::terminal);
  EXPECT_FALSE(state->Ready());
  let_go.set_value();
  Run();
  EXPECT_TRUE(Is<Cancelled>(error));
}

TEST_F(AsioTest, ASignalOfNoTypeCancelsNothing) {
  asio::cancellation_signal signal;
  int value = 0;
  Future<int> held = pool_.apply_async(hold, bells_);
  const auto state = held.state();
  async_get(std::move(held),
            asio::bind_cancellation_slot(
                signal.slot(),
                asio::bind_executor(io_, [&](const std::exception_ptr&, int v) { value = v; })));
  WaitFor(bells_[0]);
  signal.emit(cancellation_type::none);
  // Behind what the callback thread would have to do, had anything been cancelled.
  std::promise<void> behind;
  Future<int> other = pool_.apply_async(square, 1);
  other.on_value([&](int) { behind.set_value(); });
  ASSERT_EQ(behind.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_FALSE(state->Ready());
  bells_[1] = 1;
  Run();
  EXPECT_EQ(value, 7);
}

TEST_F(AsioTest, ASignalThatComesTooLateChangesNothing) {
  asio::cancellation_signal signal;
  int value = 0;
  Future<int> future = pool_.apply_async(square, 7);
  future.wait();
  async_get(std::move(future),
            asio::bind_cancellation_slot(
                signal.slot(),
                asio::bind_executor(io_, [&](const std::exception_ptr&, int v) { value = v; })));
  signal.emit(cancellation_type::terminal);
  Run();
  EXPECT_EQ(value, 49);
}

// ---- ends

TEST_F(AsioTest, AContextThatEndsTakesItsHandlersWithIt) {
  auto context = std::make_unique<asio::io_context>();
  auto trace = std::make_shared<int>(0);
  const std::weak_ptr<int> handler = trace;
  bool called = false;
  Future<int> future = pool_.apply_async(hold, bells_);
  const auto state = future.state();
  async_get(std::move(future),
            asio::bind_executor(*context, [&called, trace = std::move(trace)](
                                              const std::exception_ptr&, int) { called = true; }));
  WaitFor(bells_[0]);
  context.reset();
  EXPECT_TRUE(handler.expired());
  bells_[1] = 1;
  EXPECT_TRUE(state->WaitUntil(std::chrono::steady_clock::now() + kDeadline));
  // Continuations run in order: behind this one the handler would have been called.
  std::promise<void> behind;
  state->WhenSettled([&] { behind.set_value(); });
  ASSERT_EQ(behind.get_future().wait_for(kDeadline), std::future_status::ready);
  EXPECT_FALSE(called);
}

asio::awaitable<void> HoldOn(const Pool& pool, Bells bells, std::shared_ptr<int> /*trace*/) {
  co_await async_get(pool.apply_async(hold, std::move(bells)), asio::use_awaitable);
}

TEST_F(AsioTest, AContextThatEndsTakesItsCoroutinesWithIt) {
  auto context = std::make_unique<asio::io_context>();
  auto trace = std::make_shared<int>(0);
  const std::weak_ptr<int> frame = trace;
  asio::co_spawn(*context, HoldOn(pool_, bells_, std::move(trace)), asio::detached);
  context->poll();
  WaitFor(bells_[0]);
  EXPECT_FALSE(frame.expired());
  context.reset();
  EXPECT_TRUE(frame.expired());
  bells_[1] = 1;
}

TEST_F(AsioTest, APoolThatEndsCancelsWhatIsAwaited) {
  std::exception_ptr error;
  async_get(pool_.apply_async(hold, bells_),
            asio::bind_executor(io_, [&](const std::exception_ptr& e, int) { error = e; }));
  WaitFor(bells_[0]);
  pool_.terminate();
  Run();
  EXPECT_TRUE(Is<Cancelled>(error));
}

TEST_F(AsioTest, ManyCallsAndManyThreads) {
  asio::thread_pool threads(4);
  std::atomic_int sum = 0;
  constexpr int kCalls = 500;
  for (int i = 0; i < kCalls; ++i) {
    async_get(
        pool_.apply_async(add, i, 1),
        asio::bind_executor(threads, [&](const std::exception_ptr&, int value) { sum += value; }));
  }
  threads.join();
  EXPECT_EQ(sum, kCalls * (kCalls + 1) / 2);
}

}  // namespace
}  // namespace procpool

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
