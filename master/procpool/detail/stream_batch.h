// The calls of an imap: elements are taken from a range as results are taken from the other end.
//
// The consumer's thread adds elements and takes results, the pool's thread encodes elements and
// adds results; one mutex stands between them. An element stays until its call is done, for a call
// may have to be given out again.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

#include <procpool/detail/pool_core.h>
#include <procpool/detail/range_batch.h>
#include <procpool/results.h>

namespace procpool::detail {

enum class Order { kAsGiven, kAsDone };

template <Elements kElements, typename Range, typename R, typename... Args>
class StreamBatch final : public TypedBatch<R, Args...>,
                          public ResultSource<typename ResultBytes<R>::Value> {
  using Base = TypedBatch<R, Args...>;
  using Element = std::ranges::range_value_t<Range>;
  using TimePoint = std::chrono::steady_clock::time_point;

 public:
  using Value = typename ResultBytes<R>::Value;

  StreamBatch(const Task<R(Args...)>& task, Range range, Order order, std::uint64_t chunk_size,
              std::uint64_t window, std::weak_ptr<PoolCore> core)
      : Base(task, chunk_size),
        range_(std::move(range)),
        order_(order),
        window_(std::max(window, chunk_size)),
        refill_at_(std::max(window_ / 2, chunk_size - 1)),
        core_(std::move(core)) {}

  /// To be called once, before the batch is given to the pool.
  void Begin() {
    next_.emplace(std::ranges::begin(range_));
    Pull();
  }
  void StartedAs(std::shared_ptr<StartedJob> job) { job_ = std::move(job); }

  std::optional<Value> Next() override {
    std::unique_lock lock(mutex_);
    Await(lock, TimePoint::max());
    if (auto outcome = TakeOutcome()) {
      lock.unlock();
      if (outcome->error) std::rethrow_exception(outcome->error);
      return ResultBytes<R>::FromBytes(outcome->bytes);
    }
    if (exhausted_ && taken_ == pulled_) return std::nullopt;
    std::rethrow_exception(end_);
  }

  bool WaitUntil(TimePoint deadline) override {
    std::unique_lock lock(mutex_);
    return Await(lock, deadline);
  }

  // Afterwards nothing that an element refers to is looked at any more.
  void Cancel() override {
    std::unique_lock lock(mutex_);
    if (ended_) return;
    lock.unlock();
    if (const auto core = core_.lock()) core->Cancel(job_);
    lock.lock();
    changed_.wait(lock, [this] { return ended_; });
  }

 private:
  struct Outcome {
    std::vector<std::byte> bytes;
    std::exception_ptr error{};
  };

  void TellGrown() {
    if (const auto core = core_.lock()) core->Grown(job_);
  }

  // Takes elements until the window is full, or until that has taken long: results may be there
  // meanwhile. A range that throws ends there; the calls before it are still done.
  void Pull() {
    constexpr auto kLongestPull = std::chrono::microseconds(200);
    const auto begun = std::chrono::steady_clock::now();
    const std::uint64_t room = window_ - (pulled_ - taken_);
    std::vector<Element> elements;
    std::exception_ptr error;
    bool end = false;
    try {
      while (elements.size() < room) {
        end = *next_ == std::ranges::end(range_);
        if (end) break;
        elements.push_back(**next_);
        ++*next_;
        if ((pulled_ + elements.size()) % Base::chunk_size() == 0 &&
            std::chrono::steady_clock::now() - begun > kLongestPull)
          break;
      }
    } catch (...) {
      error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      for (Element& element : elements) elements_.emplace_back(std::move(element));
      pulled_ += elements.size();
      exhausted_ = end || error != nullptr;
    }
    if (error) std::rethrow_exception(error);
  }

  // Until Next() would not wait. False: not by then.
  bool Await(std::unique_lock<std::mutex>& lock, TimePoint deadline) {
    while (true) {
      if (!exhausted_ && !ended_ && pulled_ - taken_ <= refill_at_) {
        lock.unlock();
        try {
          Pull();
        } catch (...) {
          TellGrown();
          throw;
        }
        TellGrown();
        lock.lock();
      }
      if (HasOutcome() || ended_ || (exhausted_ && taken_ == pulled_)) return true;
      if (deadline == TimePoint::max()) {
        changed_.wait(lock);
      } else if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
        return HasOutcome() || ended_;
      }
    }
  }

  bool HasOutcome() const {
    const auto first = outcomes_.begin();
    return first != outcomes_.end() && (order_ == Order::kAsDone || first->first == taken_);
  }
  std::optional<Outcome> TakeOutcome() {
    if (!HasOutcome()) return std::nullopt;
    const auto first = outcomes_.begin();
    Outcome outcome = std::move(first->second);
    outcomes_.erase(first);
    ++taken_;
    return outcome;
  }

  // ---- on the pool's thread
  std::uint64_t calls() const override {
    const std::lock_guard lock(mutex_);
    return pulled_;
  }
  bool MoreMayCome() const override {
    const std::lock_guard lock(mutex_);
    return !exhausted_;
  }
  std::span<const std::byte> Input(std::uint64_t first, std::uint64_t count, InputRoom& room,
                                   typename Base::Shared& shared) override {
    const std::lock_guard lock(mutex_);
    return Base::Encode(count, room, shared, [&](std::uint64_t call) {
      return ArgumentsOf<kElements>(*elements_[first + call - first_kept_]);
    });
  }
  std::span<std::byte> FlatResults(std::uint64_t /*first*/, std::uint64_t /*count*/) override {
    return {};  // they come as bytes: the consumer takes them out of order, or late
  }
  void Done(DoneChunk chunk) override {
    ResultCutter<R> cutter(chunk.bytes, Base::bare());
    {
      const std::lock_guard lock(mutex_);
      for (std::uint64_t call = chunk.first; call < chunk.first + chunk.count; ++call) {
        const std::span<const std::byte> bytes = cutter.Next();
        if (std::ranges::find(chunk.without, call) != chunk.without.end()) continue;
        Add(call, {.bytes = {bytes.begin(), bytes.end()}});
      }
      Forget();
    }
    changed_.notify_all();
  }
  void Failed(std::uint64_t call, std::exception_ptr error) override {
    {
      const std::lock_guard lock(mutex_);
      Add(call, {.bytes = {}, .error = std::move(error)});
      Forget();
    }
    changed_.notify_all();
  }
  void Ended(std::exception_ptr error) override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      end_ = std::move(error);
    }
    changed_.notify_all();
  }

  void Add(std::uint64_t call, Outcome outcome) {
    elements_[call - first_kept_].reset();
    outcomes_.emplace(order_ == Order::kAsGiven ? call : arrived_++, std::move(outcome));
  }
  void Forget() {
    while (!elements_.empty() && !elements_.front()) {
      elements_.pop_front();
      ++first_kept_;
    }
  }

  Range range_;
  const Order order_;
  const std::uint64_t window_;
  // Less than a chunk cannot be given out: it must not be waited for.
  const std::uint64_t refill_at_;
  const std::weak_ptr<PoolCore> core_;
  std::shared_ptr<StartedJob> job_;
  std::optional<std::ranges::iterator_t<Range>> next_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::optional<Element>> elements_;  // of the calls that are not done
  std::uint64_t first_kept_ = 0;                 // the call of the first of them
  std::map<std::uint64_t, Outcome> outcomes_;    // those that were not taken, by their order
  std::uint64_t pulled_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t arrived_ = 0;
  bool exhausted_ = false;
  bool ended_ = false;
  std::exception_ptr end_;
};

}  // namespace procpool::detail
