// Pool: worker processes that call tasks. What multiprocessing.Pool is for Python.
//
//   const procpool::Task square{"square", [](int x) { return x * x; }};
//
//   int main(int argc, char** argv) {
//     procpool::worker_main_if_asked(argc, argv);   // the workers are this program, started again
//     procpool::Pool pool;
//     std::vector<int> squares = pool.map(square, std::views::iota(0, 100));
//   }
//
// Each call is answered exactly once: with its result, or with an error that is its own
// (procpool/call_errors.h). What a crash or a timeout takes with it is one call, and the pool makes
// another worker; calls that had travelled with it (chunk_size) and had no answer yet run again.
//
// Threads: every function may be called from any thread. A pool owns one thread, which spawns the
// workers and speaks to them, and one more once there is a continuation (Future::then). Several
// pools may live side by side, also inside a worker. A process that is forked from this one has no
// part in the pool.
//
// Ranges and arguments: map() and apply() return when all is done, so they copy nothing that they
// need not. The _async functions keep what they are given: a container is copied or moved in, a
// view (std::span, std::string_view) is kept as it is, and what it refers to must stay until the
// call has ended. imap() takes elements of its range when results are taken (procpool/results.h);
// a range that is passed by name must live as long as the Results.
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <procpool/call_errors.h>
#include <procpool/detail/call_batch.h>
#include <procpool/detail/deadline.h>
#include <procpool/detail/pool_core.h>
#include <procpool/detail/range_batch.h>
#include <procpool/detail/stream_batch.h>
#include <procpool/future.h>
#include <procpool/options.h>
#include <procpool/results.h>
#include <procpool/statistics.h>
#include <procpool/task.h>

namespace procpool {
namespace detail {

template <typename R>
using MapResult =
    std::conditional_t<std::is_void_v<R>, void, std::vector<typename ResultBytes<R>::Value>>;
template <typename R>
using CallResult = std::conditional_t<std::is_void_v<R>, void, typename ResultBytes<R>::Value>;

template <typename Range>
inline constexpr bool kIsIota = false;
template <typename First, typename Last>
inline constexpr bool kIsIota<std::ranges::iota_view<First, Last>> = true;

/// Whether the pool's thread may read elements of it later: without it they are read at once, for
/// to make them may take time, throw, or be possible only once.
template <typename Range>
inline constexpr bool kMayBeReadLater = [] {
  if constexpr (std::ranges::random_access_range<const Range> &&
                std::ranges::sized_range<const Range>) {
    return kIsIota<Range> ||
           std::is_lvalue_reference_v<std::ranges::range_reference_t<const Range>>;
  } else {
    return false;
  }
}();

/// What a batch keeps of a range. kBorrow: who gave it waits until the batch has ended.
template <bool kBorrow, typename Range>
auto Keep(Range&& range) {
  using Kept = std::remove_cvref_t<Range>;
  constexpr bool kNamed = std::is_lvalue_reference_v<Range>;
  if constexpr (kMayBeReadLater<Kept> && kBorrow && kNamed && !std::ranges::view<Kept>) {
    return std::ranges::ref_view<const Kept>(range);
  } else if constexpr (kMayBeReadLater<Kept> && !std::is_array_v<Kept>) {
    return Kept(std::forward<Range>(range));
  } else {
    std::vector<std::ranges::range_value_t<Range>> elements;
    if constexpr (std::ranges::sized_range<Range>) elements.reserve(std::ranges::size(range));
    for (auto&& element : range) elements.push_back(std::forward<decltype(element)>(element));
    return elements;
  }
}

template <typename Tuple, typename... Args>
inline constexpr bool kTupleGoesAs = false;
template <typename... Given, typename... Args>
requires(sizeof...(Given) ==
         sizeof...(Args)) inline constexpr bool kTupleGoesAs<std::tuple<Given...>, Args...> =
    (GoesAs<Given, Args> && ...);
template <typename First, typename Second, typename... Args>
requires(sizeof...(Args) ==
         2) inline constexpr bool kTupleGoesAs<std::pair<First, Second>, Args...> =
    kTupleGoesAs<std::tuple<First, Second>, Args...>;

}  // namespace detail

/// The calls of a pool: Pool itself, with its own defaults, or what with() gives. Refers to the
/// pool, which must live as long.
class Calls {
 public:
  /// The same pool with other options for what is called through it.
  Calls with(CallOptions options) const { return Calls(core_, options); }
  /// Those of the calls.
  const CallOptions& options() const { return options_; }

  /// Calls the task with each element; waits; results in the order of the elements. All calls are
  /// done before the error of the first one that failed is thrown.
  template <typename R, typename... Args, std::ranges::input_range Range>
  detail::MapResult<R> map(const Task<R(Args...)>& task, Range&& range) const {
    return Map<true, detail::Elements::kArguments>(task, std::forward<Range>(range)).get();
  }
  /// The same at once, as a future.
  template <typename R, typename... Args, std::ranges::input_range Range>
  Future<detail::MapResult<R>> map_async(const Task<R(Args...)>& task, Range&& range) const {
    return Map<false, detail::Elements::kArguments>(task, std::forward<Range>(range));
  }
  /// As map(); the elements are tuples (or pairs) of all arguments of a call.
  template <typename R, typename... Args, std::ranges::input_range Range>
  detail::MapResult<R> starmap(const Task<R(Args...)>& task, Range&& range) const {
    return Map<true, detail::Elements::kTuples>(task, std::forward<Range>(range)).get();
  }
  /// The same at once, as a future.
  template <typename R, typename... Args, std::ranges::input_range Range>
  Future<detail::MapResult<R>> starmap_async(const Task<R(Args...)>& task, Range&& range) const {
    return Map<false, detail::Elements::kTuples>(task, std::forward<Range>(range));
  }

  /// Calls the task with each element and gives the results one by one, in the order of the
  /// elements.
  template <typename R, typename... Args, std::ranges::viewable_range Range>
  Results<detail::CallResult<R>> imap(const Task<R(Args...)>& task, Range&& range) const {
    return Stream(task, std::forward<Range>(range), detail::Order::kAsGiven);
  }
  /// As imap(), in the order in which the calls are answered.
  template <typename R, typename... Args, std::ranges::viewable_range Range>
  Results<detail::CallResult<R>> imap_unordered(const Task<R(Args...)>& task, Range&& range) const {
    return Stream(task, std::forward<Range>(range), detail::Order::kAsDone);
  }

  /// Calls the task once, and waits.
  template <typename R, typename... Args, typename... Given>
  detail::CallResult<R> apply(const Task<R(Args...)>& task, const Given&... given) const {
    return Call(task, std::tuple<const Given&...>(given...)).get();
  }
  /// The same at once, as a future.
  template <typename R, typename... Args, typename... Given>
  Future<detail::CallResult<R>> apply_async(const Task<R(Args...)>& task, Given&&... given) const {
    return Call(task, std::tuple<std::decay_t<Given>...>(std::forward<Given>(given)...));
  }

 protected:
  /// Of that pool.
  Calls(std::shared_ptr<detail::PoolCore> core, CallOptions options)
      : core_(std::move(core)), options_(options) {}
  /// The pool.
  const std::shared_ptr<detail::PoolCore>& core() const { return core_; }

 private:
  template <typename State, typename Started>
  void CancelsWith(State& state, const std::shared_ptr<Started>& started) const {
    state.OnCancel([weak = std::weak_ptr<detail::PoolCore>(core_), started] {
      if (const auto core = weak.lock()) core->Cancel(started);
    });
  }

  template <bool kBorrow, detail::Elements kElements, typename R, typename... Args, typename Range>
  Future<detail::MapResult<R>> Map(const Task<R(Args...)>& task, Range&& range) const {
    CheckElements<kElements, std::ranges::range_value_t<Range>, Args...>();
    auto kept = detail::Keep<kBorrow>(std::forward<Range>(range));
    using Batch = detail::RangeBatch<kElements, decltype(kept), R, Args...>;
    const std::uint64_t chunk = options_.chunk_size != 0
                                    ? options_.chunk_size
                                    : detail::AutomaticChunk<Args...>(kept, core_->workers());
    auto state = std::make_shared<typename Batch::State>(core_->callbacks());
    CancelsWith(*state, core_->Start(std::make_shared<Batch>(task, std::move(kept), chunk, state),
                                     options_));
    return Future<detail::MapResult<R>>(std::move(state));
  }

  template <typename R, typename... Args, typename Range>
  Results<detail::CallResult<R>> Stream(const Task<R(Args...)>& task, Range&& range,
                                        detail::Order order) const {
    CheckElements<detail::Elements::kArguments, std::ranges::range_value_t<Range>, Args...>();
    using Kept = std::views::all_t<Range>;
    using Batch = detail::StreamBatch<detail::Elements::kArguments, Kept, R, Args...>;
    constexpr std::uint64_t kCallsPerWorker = 32;
    const std::uint64_t chunk = options_.chunk_size != 0 ? options_.chunk_size : 1;
    const std::uint64_t window =
        options_.window != 0 ? options_.window : kCallsPerWorker * core_->workers() * chunk;
    auto batch = std::make_shared<Batch>(task, std::views::all(std::forward<Range>(range)), order,
                                         chunk, window, core_);
    batch->Begin();
    batch->StartedAs(core_->Start(batch, options_));
    return Results<detail::CallResult<R>>(std::move(batch));
  }

  template <typename R, typename... Args, typename... Given>
  Future<detail::CallResult<R>> Call(const Task<R(Args...)>& task,
                                     std::tuple<Given...> given) const {
    static_assert(sizeof...(Given) == sizeof...(Args),
                  "the task takes another number of arguments");
    if constexpr (sizeof...(Given) == sizeof...(Args)) {
      static_assert((detail::GoesAs<Given, Args> && ...),
                    "an argument is of a type that the task does not take");
    }
    using Batch = detail::CallBatch<std::tuple<Given...>, R, Args...>;
    auto state = std::make_shared<typename Batch::State>(core_->callbacks());
    CancelsWith(*state,
                core_->StartCall(std::make_shared<Batch>(task, std::move(given), state), options_));
    return Future<detail::CallResult<R>>(std::move(state));
  }

  template <detail::Elements kElements, typename Element, typename... Args>
  static constexpr void CheckElements() {
    if constexpr (kElements == detail::Elements::kArguments) {
      static_assert(sizeof...(Args) == 1,
                    "map and imap are for tasks of one argument: starmap takes tuples of them");
      static_assert((detail::GoesAs<Element, Args> && ...),
                    "the range's elements are of a type that the task does not take");
    } else {
      static_assert(detail::kTupleGoesAs<std::remove_cvref_t<Element>, Args...>,
                    "the range's elements are not tuples of what the task takes");
    }
  }

  std::shared_ptr<detail::PoolCore> core_;
  CallOptions options_;
};

/// Worker processes, and what can be called through them. Its destructor terminates them.
class Pool : public Calls {
 public:
  /// Begins to make the workers, and returns. Throws procpool::Error for options that cannot be;
  /// that no worker can be made is the error of each call.
  explicit Pool(const PoolOptions& options = {})
      : Pool(std::make_shared<detail::PoolCore>(options, detail::InitializerCall())) {}
  /// Each worker calls `initializer` with these arguments before its first call, in the same
  /// process. A worker whose initializer throws is not used.
  template <typename... Args, typename... Given>
  Pool(const PoolOptions& options, const Task<void(Args...)>& initializer, const Given&... given)
      : Pool(std::make_shared<detail::PoolCore>(options, MakeInitializer(initializer, given...))) {}
  /// Terminates it, and waits for continuations that are due.
  ~Pool() {
    core()->Terminate();
    core()->callbacks()->WaitUntilIdle();  // continuations may use the pool
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Takes no more calls: they throw PoolClosed. What was called goes on.
  void close() { core()->Close(); }
  /// Waits until every call has ended and every worker is gone; after close() or terminate() only.
  void join() { (void)core()->JoinUntil(std::chrono::steady_clock::time_point::max()); }
  /// False: not after so long.
  template <typename Rep, typename Period>
  bool join_for(std::chrono::duration<Rep, Period> time) {
    return core()->JoinUntil(detail::DeadlineAfter(time));
  }
  /// Kills the workers. What had no result is cancelled.
  void terminate() { core()->Terminate(); }

  /// So many workers from now on, at least one; those that are too many leave once they have
  /// answered what they have.
  void resize(std::size_t workers) { core()->Resize(workers); }
  /// How many it should have.
  std::size_t workers() const { return core()->workers(); }
  /// Needs PoolOptions::statistics.
  PoolStatistics statistics() { return core()->Statistics(); }

 private:
  explicit Pool(const std::shared_ptr<detail::PoolCore>& core) : Calls(core, core->defaults()) {}

  template <typename... Args, typename... Given>
  static detail::InitializerCall MakeInitializer(const Task<void(Args...)>& task,
                                                 const Given&... given) {
    static_assert(sizeof...(Given) == sizeof...(Args),
                  "the initializer takes another number of arguments");
    static_assert((detail::GoesAs<Given, Args> && ...),
                  "an argument is of a type that the initializer does not take");
    const std::string signature = detail::SignatureText<void, Args...>();
    detail::InitializerCall call{.task = std::string(task.name()),
                                 .context = detail::TaskContext{false, signature}.Encode()};
    detail::WriteCall<Args...>(call.input, call.shared, given...);
    return call;
  }
};

}  // namespace procpool
