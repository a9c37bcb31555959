// A single call.
#pragma once

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <procpool/detail/future_state.h>
#include <procpool/detail/typed_batch.h>

namespace procpool::detail {

/// Given: a tuple of the arguments as the caller has them, or of references to them.
template <typename Given, typename R, typename... Args>
class CallBatch final : public TypedBatch<R, Args...>,
                        public std::enable_shared_from_this<CallBatch<Given, R, Args...>> {
  using Base = TypedBatch<R, Args...>;

 public:
  using Value = typename ResultBytes<R>::Value;
  using State = FutureState<Value>;

  CallBatch(const Task<R(Args...)>& task, Given given, std::shared_ptr<State> state)
      : Base(task, 1), given_(std::move(given)), results_(1), state_(std::move(state)) {}

 private:
  std::uint64_t calls() const override { return 1; }
  std::span<const std::byte> Input(std::uint64_t /*first*/, std::uint64_t count, InputRoom& room,
                                   typename Base::Shared& shared) override {
    return Base::Encode(count, room, shared, [this](std::uint64_t /*call*/) {
      return std::apply([](const auto&... arguments) { return std::tie(arguments...); }, given_);
    });
  }
  std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) override {
    return results_.Flat(first, count);
  }
  void Done(DoneChunk chunk) override { results_.Add(std::move(chunk), Base::bare()); }
  void Failed(std::uint64_t /*call*/, std::exception_ptr error) override {
    failure_ = std::move(error);
  }
  void Ended(std::exception_ptr error) override {
    const std::shared_ptr<State> state = std::move(state_);  // see RangeBatch
    if (error || failure_) {
      state->Fail(error ? std::move(error) : std::move(failure_));
    } else {
      state->Fulfil(
          [batch = this->shared_from_this()] { return std::move(batch->results_.Take().front()); });
    }
  }

  Given given_;
  ResultStore<R> results_;
  std::shared_ptr<State> state_;
  std::exception_ptr failure_;
};

}  // namespace procpool::detail
