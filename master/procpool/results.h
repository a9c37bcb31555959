// Results<T>: what imap and imap_unordered give, one result after the other while the calls run.
//
//   for (int square : pool.imap(square, std::views::iota(0))) { … }   // no end: stop when you like
//
// Elements are taken from the range when results are taken, on the same thread, and never more than
// a window of them is on the way: an endless range needs no more memory than that. Results is to be
// used by one thread at a time. Dropping it cancels what is on the way.
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <procpool/future.h>

namespace procpool {
namespace detail {

template <typename T>
class ResultSource {
 public:
  virtual ~ResultSource() = default;
  virtual std::optional<T> Next() = 0;
  virtual bool WaitUntil(std::chrono::steady_clock::time_point deadline) = 0;
  virtual void Cancel() = 0;
};

}  // namespace detail

/// The results of calls, one after the other. Of calls without a result: as many std::monostate.
template <typename T>
class Results {
  using Value = detail::Held<T>;

 public:
  /// Made by the pool.
  explicit Results(std::shared_ptr<detail::ResultSource<Value>> source)
      : source_(std::move(source)) {}
  /// The other one has no results then.
  Results(Results&&) noexcept = default;
  /// The other one gets those that were here.
  Results& operator=(Results&& other) noexcept {
    std::swap(source_, other.source_);
    return *this;
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  /// Cancels.
  ~Results() { cancel(); }

  /// Waits for the next result; nothing at the end. Throws the error of a call that failed
  /// (procpool/call_errors.h); next() then goes on behind it.
  std::optional<Value> next() { return source_ ? source_->Next() : std::nullopt; }
  /// Waits until next() would not. False: there is nothing yet after so long. May take longer where
  /// the range does.
  template <typename Rep, typename Period>
  bool wait_for(std::chrono::duration<Rep, Period> time) {
    return source_ == nullptr || source_->WaitUntil(detail::DeadlineAfter(time));
  }
  /// Ends the calls that are on the way; next() throws Cancelled.
  void cancel() {
    if (source_) source_->Cancel();
  }

  /// What a range-based for loop needs: an input iterator.
  class iterator {  // NOLINT(readability-identifier-naming): as in every range
   public:
    /// @cond
    using iterator_concept = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;

    Value& operator*() const { return *results_->current_; }
    iterator& operator++() {
      results_->current_ = results_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !results_->current_; }
    /// @endcond

   private:
    friend class Results;
    explicit iterator(Results* results) : results_(results) {}
    Results* results_;
  };

  /// Waits for the first result. To be called once.
  iterator begin() {
    current_ = next();
    return iterator(this);
  }
  /// Behind the last result.
  std::default_sentinel_t end() const { return std::default_sentinel; }

 private:
  std::shared_ptr<detail::ResultSource<Value>> source_;
  std::optional<Value> current_;
};

}  // namespace procpool
