// The calls of a map: one for each element of a range.
#pragma once

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/detail/future_state.h>
#include <procpool/detail/typed_batch.h>

namespace procpool::detail {

/// What a map of a task yields: a vector of the results; nothing, if the task has none.
template <typename R>
using MapValues = std::conditional_t<std::is_void_v<R>, std::monostate,
                                     std::vector<typename ResultBytes<R>::Value>>;

/// How an element becomes the arguments of a call.
enum class Elements {
  kArguments,  ///< each is the only argument
  kTuples      ///< each is a tuple of all arguments
};

template <Elements kElements, typename Element>
auto ArgumentsOf(const Element& element) {
  if constexpr (kElements == Elements::kTuples) {
    return std::apply([](const auto&... arguments) { return std::tie(arguments...); }, element);
  } else {
    return std::tie(element);
  }
}

/// How many calls travel together, if nobody says: so many chunks that the workers end at about the
/// same time, and none so long that it would be copied whole.
template <typename... Args, typename Range>
std::uint64_t AutomaticChunk(const Range& range, std::size_t workers) {
  constexpr std::uint64_t kChunksPerWorker = 16;
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;
  constexpr std::uint64_t kLongElement = std::uint64_t{16} << 10;
  const std::uint64_t calls = std::ranges::size(range);
  std::uint64_t chunk = calls / (std::max<std::size_t>(workers, 1) * kChunksPerWorker);
  if constexpr (Arguments<Args...>::kMayBeBare) {
    using Given = std::ranges::range_value_t<Range>;
    using Wanted = std::remove_cvref_t<std::tuple_element_t<0, std::tuple<Args...>>>;
    if constexpr (IsSequenceAsItLies<Wanted, Given>()) {
      // Long elements travel alone, so that none is copied together with others.
      if (calls > 0 && BytesOfSequence(*std::ranges::begin(range)).size() >= kLongElement) return 1;
    }
  }
  if constexpr (Arguments<Args...>::kAllFlat && sizeof...(Args) > 0) {
    chunk = std::min<std::uint64_t>(chunk, kMostBytes / Arguments<Args...>::kFlatBytes);
  }
  return std::max<std::uint64_t>(chunk, 1);
}

/// Range: random access and sized; the batch owns it, or it is a view of what its maker keeps.
template <Elements kElements, typename Range, typename R, typename... Args>
class RangeBatch final
    : public TypedBatch<R, Args...>,
      public std::enable_shared_from_this<RangeBatch<kElements, Range, R, Args...>> {
  using Element = std::ranges::range_value_t<const Range>;
  static constexpr bool kElementsLie =
      std::is_lvalue_reference_v<std::ranges::range_reference_t<const Range>>;
  // What an iterator makes on the way is written at once; a sequence would be referred to later.
  static_assert(kElementsLie || std::is_trivially_copyable_v<Element>);
  using Base = TypedBatch<R, Args...>;

 public:
  using Values = MapValues<R>;
  using State = FutureState<Values>;

  RangeBatch(const Task<R(Args...)>& task, Range range, std::uint64_t chunk_size,
             std::shared_ptr<State> state)
      : Base(task, chunk_size),
        range_(std::move(range)),
        results_(std::ranges::size(range_)),
        state_(std::move(state)) {}

  /// After Ended() only, once.
  Values TakeValues() {
    if constexpr (std::is_void_v<R>) {
      return {};
    } else {
      return results_.Take();
    }
  }

 private:
  std::uint64_t calls() const override { return std::ranges::size(range_); }
  bool results_together() const override { return true; }

  std::span<const std::byte> Input(std::uint64_t first, std::uint64_t count, InputRoom& room,
                                   typename Base::Shared& shared) override {
    if constexpr (kLiesAsItTravels) {
      return std::as_bytes(std::span(std::ranges::data(range_) + first, count));
    } else {
      const auto begin = std::ranges::begin(std::as_const(range_));
      return Base::Encode(count, room, shared, [&](std::uint64_t call) {
        const auto place =
            begin + static_cast<std::ranges::range_difference_t<Range>>(first + call);
        if constexpr (kElementsLie) {
          return ArgumentsOf<kElements>(*place);
        } else {
          made_.emplace(*place);
          return ArgumentsOf<kElements>(*made_);
        }
      });
    }
  }
  std::span<std::byte> FlatResults(std::uint64_t first, std::uint64_t count) override {
    return results_.Flat(first, count);
  }
  void Done(DoneChunk chunk) override { results_.Add(std::move(chunk), Base::bare()); }
  void Failed(std::uint64_t call, std::exception_ptr error) override {
    if (failure_ && failed_call_ <= call) return;
    failed_call_ = call;
    failure_ = std::move(error);
  }
  void Ended(std::exception_ptr error) override {
    // The state would keep the batch and the batch the state, if it went on holding it.
    const std::shared_ptr<State> state = std::move(state_);
    if (error || failure_) {
      state->Fail(error ? std::move(error) : std::move(failure_));
    } else {
      state->Fulfil([batch = this->shared_from_this()] { return batch->TakeValues(); });
    }
  }

  static constexpr bool kLiesAsItTravels = [] {
    if constexpr (kElements == Elements::kArguments && sizeof...(Args) == 1 &&
                  Arguments<Args...>::kAllFlat && std::ranges::contiguous_range<const Range>) {
      return std::is_same_v<Element,
                            std::remove_cvref_t<std::tuple_element_t<0, std::tuple<Args...>>>>;
    } else {
      return false;
    }
  }();

  Range range_;
  ResultStore<R> results_;
  std::shared_ptr<State> state_;
  std::optional<Element> made_;  // what an iterator made last, if its elements do not lie anywhere
  std::exception_ptr failure_;
  std::uint64_t failed_call_ = 0;
};

}  // namespace procpool::detail
