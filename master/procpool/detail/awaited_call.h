// What stands between a future and a handler of Boost.Asio. procpool/asio.h gives it a name.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <procpool/future.h>

namespace procpool::detail {

/// The calls that one execution context waits for. A context that ends before them takes their
/// handlers with it, as it does with those of Asio's own operations.
///
/// Each call has its handler to itself once it is out of here: whoever takes it out, its future or
/// the context's end, is the only one to touch the handler.
class AwaitedCalls {
 public:
  class Call {
   public:
    virtual ~Call() = default;
    /// The handler ends without being called.
    virtual void Abandon() = 0;
  };

  /// False: the context is at its end.
  bool Add(std::shared_ptr<Call> call) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    calls_.insert(std::move(call));
    return true;
  }
  /// Takes the call out and calls `hand_over`, during which the context does not end; or does
  /// nothing, because the context has ended.
  template <typename F>
  void TakeOut(const std::shared_ptr<Call>& call, F hand_over) {
    const std::lock_guard lock(mutex_);
    if (calls_.erase(call) != 0) hand_over();
  }
  void Close() {
    std::unordered_set<std::shared_ptr<Call>> left;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      left.swap(calls_);
    }
    for (const auto& call : left) call->Abandon();
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<Call>> calls_;
  bool closed_ = false;
};

/// Tells the calls of a context when it ends.
class AwaitedCallsService final : public boost::asio::execution_context::service {
 public:
  inline static boost::asio::execution_context::id id;

  explicit AwaitedCallsService(boost::asio::execution_context& context) : service(context) {}
  const std::shared_ptr<AwaitedCalls>& calls() const { return calls_; }

 private:
  void shutdown() override { calls_->Close(); }

  std::shared_ptr<AwaitedCalls> calls_ = std::make_shared<AwaitedCalls>();
};

/// Of both kinds of executors that Asio has.
template <typename Executor>
boost::asio::execution_context& ContextOf(const Executor& executor) {
  if constexpr (boost::asio::execution::is_executor<Executor>::value) {
    return boost::asio::query(executor, boost::asio::execution::context);
  } else {
    return executor.context();
  }
}

/// A future and the handler that waits for it.
template <typename T, typename Handler>
class AwaitedCall final : public AwaitedCalls::Call,
                          public std::enable_shared_from_this<AwaitedCall<T, Handler>> {
  using Executor = boost::asio::associated_executor_t<Handler>;

 public:
  using Value = Held<T>;
  using State = FutureState<Value>;

  static void Begin(std::shared_ptr<State> state, Handler handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign(Canceller{state});
    const auto call = std::make_shared<AwaitedCall>(std::move(handler));
    if (!call->calls_->Add(call)) return;
    state->WhenSettled([state, call] { call->Settled(*state); });
  }

  explicit AwaitedCall(Handler handler) {
    const Executor executor = boost::asio::get_associated_executor(handler);
    calls_ = boost::asio::use_service<AwaitedCallsService>(ContextOf(executor)).calls();
    waiting_.emplace(std::move(handler), executor);
  }

 private:
  // All that must not outlive the context, executors included: some refer to what they lie in.
  struct Waiting {
    Waiting(Handler its_handler, const Executor& executor)
        : handler(std::move(its_handler)), work(boost::asio::make_work_guard(executor)) {}
    Handler handler;
    boost::asio::executor_work_guard<Executor> work;  // the context goes on until it was called
  };

  /// What lies in the handler's cancellation slot. To cancel takes milliseconds where a worker has
  /// to be killed, so the pool's callback thread does it, and the thread that asks for it goes on.
  struct Canceller {
    std::weak_ptr<State> weak;

    void operator()(boost::asio::cancellation_type_t type) const {
      using boost::asio::cancellation_type;
      constexpr auto kAny =
          cancellation_type::terminal | cancellation_type::partial | cancellation_type::total;
      if ((type & kAny) == cancellation_type::none) return;
      const std::shared_ptr<State> state = weak.lock();
      if (state) state->callbacks()->Post([state] { state->Cancel(); });
    }
  };

  // On the callback thread, where a long result is decoded without keeping the context from its
  // other work.
  void Settled(State& state) {
    std::exception_ptr error;
    std::optional<Value> value;
    try {
      value.emplace(std::move(state.Value()));
    } catch (...) {
      error = std::current_exception();
    }
    calls_->TakeOut(this->shared_from_this(), [&] {
      const Executor executor = waiting_->work.get_executor();
      auto complete = [waiting = std::move(*waiting_), error = std::move(error),
                       value = std::move(value)]() mutable {
        // Slots belong to the handler's executor, so not before.
        auto slot = boost::asio::get_associated_cancellation_slot(waiting.handler);
        if (slot.is_connected()) slot.clear();
        if constexpr (std::is_void_v<T>) {
          std::move(waiting.handler)(std::move(error));
        } else {
          std::move(waiting.handler)(std::move(error), value ? std::move(*value) : T());
        }
      };
      waiting_.reset();
      boost::asio::post(executor, std::move(complete));
    });
  }
  void Abandon() override { waiting_.reset(); }

  std::shared_ptr<AwaitedCalls> calls_;
  std::optional<Waiting> waiting_;
};

}  // namespace procpool::detail
