// Future<T>: the result of a call that a pool may still be working on.
//
//   procpool::Future<int> answer = pool.apply_async(square, 7);
//   answer.then([](int value) { … });     // or answer.get()
//
// A future is movable and has one owner; what it offers may be called from any thread, but not two
// of its functions at once. Dropping it lets the call go on; its result is then thrown away.
//
// Continuations run one after the other on a thread of the pool's own, in the order in which their
// futures became ready. They may use the pool, and may wait for calls; they must not wait for
// another continuation. An exception that leaves then()'s function is the error of the future that
// then() returned; one that leaves on_value() or on_error() ends the program.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <procpool/call_errors.h>
#include <procpool/detail/deadline.h>
#include <procpool/detail/future_state.h>

namespace procpool {

namespace detail {

/// What stands for a value of type T; for void something without a value.
template <typename T>
using Held = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename F, typename T>
struct ResultOfThen {
  using type = std::invoke_result_t<F&, T>;
};
template <typename F>
struct ResultOfThen<F, void> {
  using type = std::invoke_result_t<F&>;
};

/// Cancelling `state` cancels the others, which it hangs on.
template <typename S, typename Before>
void CancelWith(const std::shared_ptr<S>& state,
                const std::vector<std::shared_ptr<Before>>& others) {
  std::vector<std::weak_ptr<Before>> before(others.begin(), others.end());
  // Settled here: the thread that settles it otherwise may be the one that cancels it.
  state->OnCancel([self = std::weak_ptr<S>(state), before = std::move(before)] {
    for (const auto& weak : before) {
      if (const auto other = weak.lock()) other->Cancel();
    }
    if (const auto settled = self.lock()) settled->Fail(std::make_exception_ptr(Cancelled()));
  });
}

}  // namespace detail

/// The result of a call, of type T, or what the call ended with instead.
template <typename T>
class Future {
  using State = detail::FutureState<detail::Held<T>>;

 public:
  /// Refers to no call.
  Future() = default;
  /// Made by the pool.
  explicit Future(std::shared_ptr<State> state) : state_(std::move(state)) {}
  /// The other one refers to no call then.
  Future(Future&&) noexcept = default;
  /// The other one refers to no call then.
  Future& operator=(Future&&) noexcept = default;
  Future(const Future&) = delete;
  Future& operator=(const Future&) = delete;

  /// Whether it refers to a call: get() and then() give that up.
  bool valid() const { return state_ != nullptr; }
  /// Whether get() would not wait.
  bool ready() const { return Here().Ready(); }
  /// Until it is ready.
  void wait() const { Here().Wait(); }
  /// False: not ready after so long.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> time) const {
    return Here().WaitUntil(detail::DeadlineAfter(time));
  }
  /// False: not ready by then.
  template <typename Clock, typename Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> when) const {
    return wait_for(when - Clock::now());
  }

  /// Waits, and gives the value or throws the error (procpool/call_errors.h). Once.
  T get() {
    const std::shared_ptr<State> state = Leave();
    state->Wait();
    if constexpr (std::is_void_v<T>) {
      state->Value();
    } else {
      return std::move(state->Value());
    }
  }

  /// Ends the call, if it is not ready: one that no worker has begun never runs; a worker that runs
  /// it is killed and replaced. Returns when that is done: nothing of the arguments is looked at
  /// any more, and get() throws Cancelled. False: the call has ended in another way.
  bool cancel() { return Here().Cancel(); }

  /// A future of what `function` makes of the value. An error passes `function` by. cancel() of the
  /// new one cancels the call.
  template <typename F>
  auto then(F function) -> Future<typename detail::ResultOfThen<F, T>::type> {
    using Next = typename detail::ResultOfThen<F, T>::type;
    const std::shared_ptr<State> state = Leave();
    auto next = std::make_shared<detail::FutureState<detail::Held<Next>>>(state->callbacks());
    detail::CancelWith(next, std::vector{state});
    state->WhenSettled([state, next, function = std::move(function)]() mutable {
      try {
        if constexpr (std::is_void_v<T> && std::is_void_v<Next>) {
          state->Value();
          function();
          next->Fulfil([] { return std::monostate(); });
        } else if constexpr (std::is_void_v<T>) {
          state->Value();
          Give(*next, function());
        } else if constexpr (std::is_void_v<Next>) {
          function(std::move(state->Value()));
          next->Fulfil([] { return std::monostate(); });
        } else {
          Give(*next, function(std::move(state->Value())));
        }
      } catch (...) {
        next->Fail(std::current_exception());
      }
    });
    return Future<Next>(std::move(next));
  }

  /// `callback` gets the value once it is there, and leaves it to get() or then().
  template <typename F>
  Future& on_value(F callback) {
    const std::shared_ptr<State> state = state_ ? state_ : Leave();
    state->WhenSettled([state, callback = std::move(callback)]() mutable {
      std::optional<std::reference_wrapper<detail::Held<T>>> value;
      try {
        value = state->Value();
      } catch (...) {
        return;  // on_error() is told
      }
      if constexpr (std::is_void_v<T>) {
        callback();
      } else {
        callback(std::as_const(value->get()));
      }
    });
    return *this;
  }
  /// `callback` gets the error (std::exception_ptr), if there is one.
  template <typename F>
  Future& on_error(F callback) {
    const std::shared_ptr<State> state = state_ ? state_ : Leave();
    state->WhenSettled([state, callback = std::move(callback)]() mutable {
      std::exception_ptr error;
      try {
        state->Value();
      } catch (...) {
        error = std::current_exception();
      }
      if (error) callback(error);
    });
    return *this;
  }

  /// For who builds on futures: the shared state, which stays shared.
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  template <typename S, typename V>
  static void Give(S& next, V&& value) {
    auto kept = std::make_shared<std::decay_t<V>>(std::forward<V>(value));
    next.Fulfil([kept] { return std::move(*kept); });
  }
  State& Here() const {
    if (state_ == nullptr) throw std::logic_error("this procpool::Future refers to no call");
    return *state_;
  }
  std::shared_ptr<State> Leave() {
    Here();
    return std::exchange(state_, nullptr);
  }

  std::shared_ptr<State> state_;
};

/// All values, in the order of the futures; the first error, once all are ready. cancel() cancels
/// all. Of no futures it is ready at once.
template <typename T>
Future<std::vector<detail::Held<T>>> when_all(std::vector<Future<T>> futures) {
  using Values = std::vector<detail::Held<T>>;
  using State = detail::FutureState<detail::Held<T>>;
  struct Gathering {
    std::vector<std::shared_ptr<State>> states;
    std::atomic<std::size_t> missing;
  };
  const auto gathering = std::make_shared<Gathering>();
  std::shared_ptr<detail::CallbackThread> callbacks;
  for (Future<T>& future : futures) {
    if (!future.valid()) throw std::logic_error("when_all() was given a future of no call");
    gathering->states.push_back(future.state());
    callbacks = future.state()->callbacks();
  }
  // Of no futures there is no pool whose thread could run what is to follow.
  if (callbacks == nullptr) callbacks = std::make_shared<detail::CallbackThread>();
  gathering->missing = futures.size();
  auto all = std::make_shared<detail::FutureState<Values>>(callbacks);
  const auto finish = [gathering](const std::shared_ptr<detail::FutureState<Values>>& to) {
    for (const auto& state : gathering->states) {
      try {
        state->Value();
      } catch (...) {
        to->Fail(std::current_exception());
        return;
      }
    }
    to->Fulfil([gathering] {
      Values values;
      values.reserve(gathering->states.size());
      for (const auto& state : gathering->states) values.push_back(std::move(state->Value()));
      return values;
    });
  };
  if (futures.empty()) finish(all);
  detail::CancelWith(all, gathering->states);
  for (const auto& state : gathering->states) {
    state->WhenSettled([gathering, all, finish] {
      if (--gathering->missing == 0) finish(all);
    });
  }
  return Future<Values>(std::move(all));
}

/// Which of the futures was ready first, with its value.
template <typename T>
struct FirstReady {
  std::size_t index = 0;  ///< its place among the futures
  detail::Held<T> value;  ///< what it held
};

/// The first that is ready, value or error; the others go on. cancel() cancels all. There must be
/// at least one.
template <typename T>
Future<FirstReady<T>> when_any(std::vector<Future<T>> futures) {
  using State = detail::FutureState<detail::Held<T>>;
  if (futures.empty()) throw std::logic_error("when_any() needs at least one future");
  std::vector<std::shared_ptr<State>> states;
  states.reserve(futures.size());
  for (Future<T>& future : futures) {
    if (!future.valid()) throw std::logic_error("when_any() was given a future of no call");
    states.push_back(future.state());
  }
  auto any = std::make_shared<detail::FutureState<FirstReady<T>>>(states.front()->callbacks());
  detail::CancelWith(any, states);
  for (std::size_t index = 0; index < states.size(); ++index) {
    states[index]->WhenSettled([state = states[index], any, index] {
      try {
        state->Value();
      } catch (...) {
        any->Fail(std::current_exception());
        return;
      }
      any->Fulfil([state, index] { return FirstReady<T>{index, std::move(state->Value())}; });
    });
  }
  return Future<FirstReady<T>>(std::move(any));
}

}  // namespace procpool
