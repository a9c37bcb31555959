// What a future and the one who fulfils it share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <procpool/detail/callback_thread.h>
#include <procpool/detail/export.h>

namespace procpool::detail {

/// Settled once: with a value (which the derived class keeps) or with an error.
class PROCPOOL_EXPORT FutureStateBase {
 public:
  explicit FutureStateBase(std::shared_ptr<CallbackThread> callbacks)
      : callbacks_(std::move(callbacks)) {}
  virtual ~FutureStateBase() = default;
  FutureStateBase(const FutureStateBase&) = delete;
  FutureStateBase& operator=(const FutureStateBase&) = delete;

  /// False: it was settled before, and stays what it was.
  bool Fail(std::exception_ptr error);

  bool Ready() const;
  void Wait() const;
  bool WaitUntil(std::chrono::steady_clock::time_point deadline) const;

  /// What cancelling does: it sees to it that the state is settled soon. Without one it is settled
  /// as cancelled at once.
  void OnCancel(std::function<void()> cancel);
  /// Returns when the state is settled. False: it has a result, or another error.
  bool Cancel();

  /// Runs it on the callback thread once the state is settled; soon if it is.
  void WhenSettled(std::function<void()> callback);

  const std::shared_ptr<CallbackThread>& callbacks() const { return callbacks_; }

 protected:
  /// `keep` stores the value, with the state locked. False as above.
  bool Settle(const std::function<void()>& keep);
  /// Only once it is settled. Rethrows the error.
  void RethrowError() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable settled_;
  bool is_settled_ = false;
  std::exception_ptr error_;
  std::function<void()> cancel_;
  std::vector<std::function<void()>> waiting_;
  std::shared_ptr<CallbackThread> callbacks_;
};

/// The value is made by the first who looks at it, so that results are decoded on his thread and
/// not on the pool's.
template <typename T>
class FutureState final : public FutureStateBase {
 public:
  using FutureStateBase::FutureStateBase;

  bool Fulfil(std::function<T()> make) {
    return Settle([&] { make_ = std::move(make); });
  }
  /// Only once it is settled. Throws the error, or what making the value throws.
  T& Value() {
    RethrowError();
    const std::lock_guard lock(making_);
    if (!value_) {
      value_.emplace(make_());
      make_ = nullptr;
    }
    return *value_;
  }

 private:
  std::mutex making_;
  std::function<T()> make_;
  std::optional<T> value_;
};

}  // namespace procpool::detail
