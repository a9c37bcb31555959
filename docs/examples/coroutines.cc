// Calls awaited by coroutines: one after the other, side by side, with an error, against a clock.
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <procpool/asio.h>
#include <procpool/pool.h>
#include <procpool/worker.h>

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;  // && and ||
using asio::use_awaitable;
using procpool::async_get;

// Counts the steps from `number` down to 1, as Collatz does.
const procpool::Task steps{"steps", [](std::uint64_t number) {
                             if (number == 0) throw std::domain_error("0 never comes to 1");
                             int count = 0;
                             for (; number != 1; ++count)
                               number = number % 2 == 0 ? number / 2 : 3 * number + 1;
                             return count;
                           }};
const procpool::Task sleep_long{"sleep_long",
                                [] { std::this_thread::sleep_for(std::chrono::hours(1)); }};

asio::awaitable<void> Tour(const procpool::Pool& pool) {
  const int first = co_await async_get(pool.apply_async(steps, 27), use_awaitable);
  const int second = co_await async_get(pool.apply_async(steps, first), use_awaitable);
  std::printf("one after the other   27 takes %d steps, %d takes %d\n", first, first, second);

  const auto [a, b, c] = co_await (async_get(pool.apply_async(steps, 97), use_awaitable) &&
                                   async_get(pool.apply_async(steps, 871), use_awaitable) &&
                                   async_get(pool.apply_async(steps, 6171), use_awaitable));
  std::printf("side by side          97, 871 and 6171 take %d, %d and %d\n", a, b, c);

  try {
    co_await async_get(pool.apply_async(steps, 0), use_awaitable);
  } catch (const procpool::TaskFailed& error) {
    std::printf("an error              %s\n", error.text().c_str());
  }

  // Whoever is first cancels the other: the call is ended, its worker replaced.
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(100));
  const auto winner = co_await (async_get(pool.apply_async(sleep_long), use_awaitable) ||
                                timer.async_wait(use_awaitable));
  std::printf("against a clock       the %s was first\n", winner.index() == 0 ? "call" : "clock");
}

int main(int argc, char** argv) {
  procpool::worker_main_if_asked(argc, argv);
  procpool::Pool pool({.workers = 2});
  asio::io_context context;
  asio::co_spawn(context, Tour(pool), asio::detached);
  context.run();  // returns when no call is awaited any more
}
