#include <procpool/detail/callback_thread.h>

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace procpool::detail {

struct CallbackThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> callbacks;
  std::condition_variable idle;
  bool running = false;
  bool begun = false;
  bool ending = false;
  std::thread thread;  // until the end begins, which takes it; a callback may still post then

  // Continuations are the program's code, but its signal handlers run on its own threads.
  static void Run(const std::shared_ptr<State>& state) noexcept {
    std::unique_lock lock(state->mutex);
    while (true) {
      state->changed.wait(lock, [&] { return state->ending || !state->callbacks.empty(); });
      if (state->callbacks.empty()) return;
      auto callback = std::move(state->callbacks.front());
      state->callbacks.pop_front();
      state->running = true;
      lock.unlock();
      callback();
      callback = nullptr;  // what it holds ends here, too
      lock.lock();
      state->running = false;
      if (state->callbacks.empty()) state->idle.notify_all();
    }
  }
};

CallbackThread::CallbackThread() : state_(std::make_shared<State>()) {}

CallbackThread::~CallbackThread() {
  std::thread thread;
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    thread = std::move(state_->thread);
    state_->changed.notify_one();
  }
  if (!thread.joinable()) return;
  if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();  // the last future ends in a continuation: the thread ends behind it
  } else {
    thread.join();
  }
}

void CallbackThread::WaitUntilIdle() {
  std::unique_lock lock(state_->mutex);
  if (state_->thread.get_id() == std::this_thread::get_id()) return;
  state_->idle.wait(lock, [this] { return state_->callbacks.empty() && !state_->running; });
}

void CallbackThread::Post(std::function<void()> callback) {
  const std::lock_guard lock(state_->mutex);
  state_->callbacks.push_back(std::move(callback));
  state_->changed.notify_one();
  if (std::exchange(state_->begun, true)) return;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);  // the new thread has them blocked
  state_->thread = std::thread([state = state_] { State::Run(state); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace procpool::detail
