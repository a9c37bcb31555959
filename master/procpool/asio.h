// Awaiting a pool's calls with Boost.Asio (1.81 or newer).
//
//   int answer = co_await procpool::async_get(pool.apply_async(square, 7),
//                                             boost::asio::use_awaitable);
//
// async_get() takes any completion token: a callback, use_future, use_awaitable, deferred. The
// handler's signature is void(std::exception_ptr, T), or void(std::exception_ptr) for a future of
// void; with use_awaitable and use_future the error is thrown. It is what Future::get() would
// throw.
//
// Promise: the handler is called once, through its associated executor, and never from within
// async_get(). Until then the executor has work, so that io_context::run() does not return early. A
// context that ends before the call destroys the handler without calling it; the call itself goes
// on, and its result is thrown away.
//
// Cancelling: the handler's cancellation slot cancels the call as Future::cancel() does, whatever
// the type asked for (terminal, partial or total: what a task has done before its worker was killed
// is not known here). The handler gets procpool::Cancelled, or the result if that was faster. The
// thread that asks for it does not wait: the pool's callback thread cancels, which is where
// continuations run, so a continuation that takes long holds it up, as it does the handlers.
//
// A slot is for one thread at a time: with a context that several threads run, ask for it on the
// handler's executor, as for all operations of Asio.
#pragma once

#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>

#include <procpool/detail/awaited_call.h>
#include <procpool/future.h>

namespace procpool {
namespace detail {

template <typename T>
struct SignatureOfGet {
  using type = void(std::exception_ptr, T);
};
template <>
struct SignatureOfGet<void> {
  using type = void(std::exception_ptr);
};

}  // namespace detail

/// Gives the future's value, or its error, to a handler of Boost.Asio. The future is used up, as by
/// get(); with a token that begins later (deferred, use_awaitable) it is waited for from then on.
/// Throws std::logic_error for a future that refers to no call.
template <typename T,
          boost::asio::completion_token_for<typename detail::SignatureOfGet<T>::type> Token>
auto async_get(Future<T> future, Token&& token) {
  static_assert(std::is_void_v<T> || std::is_default_constructible_v<T>,
                "a handler gets a value beside the error, too: T must have a default constructor");
  if (!future.valid()) {
    throw std::logic_error("procpool::async_get() was given a future that refers to no call");
  }
  return boost::asio::async_initiate<Token, typename detail::SignatureOfGet<T>::type>(
      []<typename Handler>(Handler&& handler, Future<T> awaited) {
        using Call = detail::AwaitedCall<T, std::decay_t<Handler>>;
        Call::Begin(awaited.state(), std::forward<Handler>(handler));
      },
      token, std::move(future));
}

}  // namespace procpool
