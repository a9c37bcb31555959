#include <procpool/detail/future_state.h>

#include <procpool/call_errors.h>

namespace procpool::detail {
namespace {

bool IsCancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

bool FutureStateBase::Settle(const std::function<void()>& keep) {
  std::vector<std::function<void()>> waiting;
  std::function<void()> cancel;  // ends outside the lock: it may hold others' states
  {
    const std::lock_guard lock(mutex_);
    if (is_settled_) return false;
    keep();
    is_settled_ = true;
    waiting.swap(waiting_);
    cancel.swap(cancel_);
    // Told while the lock is held: whoever waits may end this state as soon as it is free.
    settled_.notify_all();
  }
  for (auto& callback : waiting) callbacks_->Post(std::move(callback));
  return true;
}

bool FutureStateBase::Fail(std::exception_ptr error) {
  return Settle([&] { error_ = std::move(error); });
}

bool FutureStateBase::Ready() const {
  const std::lock_guard lock(mutex_);
  return is_settled_;
}

void FutureStateBase::Wait() const {
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [this] { return is_settled_; });
}

bool FutureStateBase::WaitUntil(std::chrono::steady_clock::time_point deadline) const {
  std::unique_lock lock(mutex_);
  return settled_.wait_until(lock, deadline, [this] { return is_settled_; });
}

void FutureStateBase::OnCancel(std::function<void()> cancel) {
  const std::lock_guard lock(mutex_);
  if (!is_settled_) cancel_ = std::move(cancel);
}

bool FutureStateBase::Cancel() {
  std::function<void()> cancel;
  {
    const std::lock_guard lock(mutex_);
    if (is_settled_) return false;
    cancel = cancel_;
  }
  if (cancel) {
    cancel();
  } else {
    Fail(std::make_exception_ptr(Cancelled()));
  }
  Wait();
  const std::lock_guard lock(mutex_);
  return error_ != nullptr && IsCancelled(error_);
}

void FutureStateBase::WhenSettled(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_settled_) {
      waiting_.push_back(std::move(callback));
      return;
    }
  }
  callbacks_->Post(std::move(callback));
}

void FutureStateBase::RethrowError() const {
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    error = error_;
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace procpool::detail
